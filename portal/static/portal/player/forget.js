// The page of a Space that is gone: forget where the listener was in it.
import { forget } from "../../archive/player/memory.js";

const space = /^\/spaces\/([0-9a-f-]{36})\//.exec(location.pathname)?.[1];
if (space) forget(space);
