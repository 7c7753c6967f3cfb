// check FOLDER verifies what an archive published with the library that Go verifies its modules with
// (golang.org/x/mod/sumdb): checkpoints, tiles, entries, a proof of consistency, and receipts.
//
// FOLDER has the public key in `vkey`, two checkpoints in `old` and `checkpoint`, the proof between them in `consistency`
// (a hash a line), tiles below `tile`, and receipts in `*.tlog-proof`.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8 // of a tile: 256 hashes

func main() {
	if err := check(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "NOT VALID:", err)
		os.Exit(1)
	}
}

func check(folder string) error {
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			panic(err)
		}
		return string(data)
	}
	key, err := note.NewVerifier(strings.TrimSpace(read("vkey")))
	if err != nil {
		return err
	}
	old, err := open(read("old"), key)
	if err != nil {
		return err
	}
	tree, err := open(read("checkpoint"), key)
	if err != nil {
		return err
	}
	// This reader compares each tile with the root.
	hashes := tlog.TileHashReader(tree, tiles{folder})
	if err := checkConsistency(tree, old, hashes, read("consistency")); err != nil {
		return err
	}
	entries, err := checkEntries(tree, hashes, read)
	if err != nil {
		return err
	}
	receipts, err := filepath.Glob(filepath.Join(folder, "*.tlog-proof"))
	if err != nil {
		return err
	}
	for _, path := range receipts {
		if err := checkReceipt(read(filepath.Base(path)), key); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
	}
	fmt.Printf("%d entries, %d receipts, extends %d entries\n", entries, len(receipts), old.N)
	return nil
}

// open verifies a checkpoint (c2sp.org/tlog-checkpoint).
func open(text string, key note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open([]byte(text), note.VerifierList(key))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != key.Name() {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of %s: %q", key.Name(), opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

func checkConsistency(tree, old tlog.Tree, hashes tlog.HashReader, text string) error {
	proof, err := parseHashes(strings.Fields(text))
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
		return err
	}
	made, err := tlog.ProveTree(tree.N, old.N, hashes)
	if err == nil && fmt.Sprint(made) != fmt.Sprint(tlog.TreeProof(proof)) {
		err = fmt.Errorf("another proof of consistency: %v", made)
	}
	return err
}

// checkEntries compares the entries in bundles (tile/entries) with the hashes of the tree.
func checkEntries(tree tlog.Tree, hashes tlog.HashReader, read func(string) string) (int64, error) {
	for first := int64(0); first < tree.N; first += 1 << height {
		width := min(1<<height, tree.N-first)
		tile := tlog.Tile{H: height, L: 0, N: first >> height, W: int(width)}
		data := []byte(read(strings.Replace(path(tile), "tile/0/", "tile/entries/", 1)))
		indexes := make([]int64, width)
		for i := range indexes {
			indexes[i] = tlog.StoredHashIndex(0, first+int64(i))
		}
		known, err := hashes.ReadHashes(indexes)
		if err != nil {
			return 0, err
		}
		for i, hash := range known {
			length := binary.BigEndian.Uint16(data)
			if tlog.RecordHash(data[2:2+length]) != hash {
				return 0, fmt.Errorf("entry %d differs", first+int64(i))
			}
			data = data[2+length:]
		}
		if len(data) != 0 {
			return 0, fmt.Errorf("%d bytes too many in %s", len(data), path(tile))
		}
	}
	return tree.N, nil
}

// checkReceipt verifies a proof with the entry in it (c2sp.org/tlog-proof).
func checkReceipt(text string, key note.Verifier) error {
	head, checkpoint, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return fmt.Errorf("not a receipt")
	}
	tree, err := open(checkpoint, key)
	if err != nil {
		return err
	}
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return err
	}
	proof, err := parseHashes(lines[3:])
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry))
}

func parseHashes(lines []string) ([]tlog.Hash, error) {
	hashes := []tlog.Hash{}
	for _, line := range lines {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

// tiles reads tiles of a folder.
type tiles struct{ folder string }

func (t tiles) Height() int { return height }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(wanted))
	for i, tile := range wanted {
		data, err := os.ReadFile(filepath.Join(t.folder, path(tile)))
		if err != nil {
			return nil, err
		}
		found[i] = data
	}
	return found, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// path is that of c2sp.org/tlog-tiles, which leaves out the height.
func path(tile tlog.Tile) string {
	return "tile/" + strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
}
