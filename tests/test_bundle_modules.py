"""Modules become one plain script; a form that the joining does not know is refused, not passed through."""

import pytest
from playwright.sync_api import Browser

from archive.display.modules import UnknownForm, join


def joined(**modules: str) -> str:
    """From modules of a folder; `a` is the one to begin with."""
    return join("site/a.js", lambda path: modules[path.removeprefix("site/").removesuffix(".js")])


A = """// The first.
import whole from "./c.js";
import { name, Thing } from "./b.js";
import { letter } from "./d.js";
const own = "a";
said.push(own, name(), new Thing().is, whole, letter, typeof require, this === undefined);
"""
B = """import { letter } from "./d.js";
const own = "b";
export class Thing {
  is = own.toUpperCase();
}
export function name() {
  return own + letter;
}
export async function later() {}
"""
C = 'said.push("once");const own="c";export{own as default};\n'
D = 'import whole from "./c.js";\nexport const letter = "d" + whole;\n'


def test_names_do_not_collide_and_each_runs_once_before_it_is_needed(chromium: Browser) -> None:
    page = chromium.new_page()
    page.evaluate("globalThis.said = []; globalThis.own = 'outside'")

    page.add_script_tag(content=joined(a=A, b=B, c=C, d=D))

    said = page.evaluate("[...said, own, typeof whole, typeof module_0]")
    assert said == ["once", "a", "bdc", "B", "c", "dc", "undefined", False, "outside", "undefined", "undefined"]


@pytest.mark.parametrize(
    "line",
    [
        'import * as all from "./b.js";',
        'import "./b.js";',
        "import { name } from './b.js';",
        'import { name } from "b";',
        'import { name as other } from "./b.js";',
        'const b = await import("./b.js");',
        "const here = import.meta.url;",
        "export let count = 0;",
        "export default class {}",
        "export default 1;",
        'export * from "./b.js";',
        "export { name };",
        "const a = 1;export{a};",
        "export const { name } = thing;",
    ],
)
def test_a_form_that_is_not_known_is_refused(line: str) -> None:
    with pytest.raises(UnknownForm, match=r"site/a\.js has a form of import or export that is not known here"):
        joined(a=f"{line}\nconst x = 1;", b="export function name() {}")


def test_a_circle_is_refused() -> None:
    with pytest.raises(UnknownForm, match=r"site/a\.js imports itself, by way of site/a\.js, site/b\.js"):
        joined(a='import { b } from "./b.js";', b='import { a } from "./a.js";\nexport const b = 1;')


@pytest.mark.parametrize(
    ("line", "name"), [('import { b } from "./b.js";', "b"), ('import b from "./b.js";', "default")]
)
def test_so_is_a_name_that_is_not_there(line: str, name: str) -> None:
    with pytest.raises(UnknownForm, match=rf"site/a\.js imports {name}, which site/b\.js does not export"):
        joined(a=line, b="const b = 1;\nexport const c = 2;")
