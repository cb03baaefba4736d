// A second implementation of the log's formats, to hold ours to them: the tree, its tiles, proofs
// and signed notes are those of golang.org/x/mod/sumdb, from which the specifications were drawn.
// Bundles of entries and cosignatures are not in it; they stand here as C2SP describes them.
//
// Needs Debian's golang-go and golang-golang-x-mod-dev. In this directory:
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run main.go vectors > ../vectors.json
//	GO111MODULE=off GOPATH=/usr/share/gocode go run main.go read DIR   # a copy of a log, as by --mirror
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	origin   = "log.example.org/petition"
	observer = "witness.example.org"
	moment   = 1_700_000_000
)

var sizes = []int64{1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 700, 65_536, 66_000}

func main() {
	log.SetFlags(0)
	switch {
	case len(os.Args) == 2 && os.Args[1] == "vectors":
		vectors()
	case len(os.Args) == 3 && os.Args[1] == "read":
		read(os.Args[2])
	default:
		log.Fatal("usage: main.go vectors | main.go read DIR")
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

// entry is what the made-up log has at a place.
func entry(n int64) []byte {
	return []byte(fmt.Sprintf("v1 counted %x", sha256.Sum256([]byte(fmt.Sprint(n)))))
}

// hashes keeps every stored hash of a tree, as tlog numbers them.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for at, index := range indexes {
		found[at] = h[index]
	}
	return found, nil
}

// tiles are those of a tree as it stands: of those that tlog names, not the ones of before.
func tiles(size int64) []tlog.Tile {
	var found []tlog.Tile
	for _, tile := range tlog.NewTiles(8, 0, size) {
		if there := size >> (8 * tile.L); tile.W == 256 || tile.N*256+int64(tile.W) == there {
			found = append(found, tile)
		}
	}
	return found
}

// path is a tile's, as C2SP names it: tlog's own has the height in it.
func path(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
}

func bundle(first, width int64) []byte {
	var found []byte
	for n := first; n < first+width; n++ {
		each := entry(n)
		found = binary.BigEndian.AppendUint16(found, uint16(len(each)))
		found = append(found, each...)
	}
	return found
}

func sum(content []byte) string {
	hashed := sha256.Sum256(content)
	return hex.EncodeToString(hashed[:])
}

func texts(proof []tlog.Hash) []string {
	found := []string{}
	for _, each := range proof {
		found = append(found, each.String())
	}
	return found
}

type at struct {
	Size       int64               `json:"size"`
	Checkpoint string              `json:"checkpoint"`
	Files      map[string]string   `json:"files"` // SHA-256 of each tile and bundle.
	Inclusion  map[string][]string `json:"inclusion"`
	Consistent map[string][]string `json:"consistent"` // From the former sizes.
}

func vectors() {
	seed := sha256.Sum256([]byte("a key for tests"))
	private := ed25519.NewKeyFromSeed(seed[:])
	vkey := must(note.NewEd25519VerifierKey(origin, private.Public().(ed25519.PublicKey)))
	keyHash := strings.Split(vkey, "+")[1]
	secret := base64.StdEncoding.EncodeToString(append([]byte{1}, seed[:]...))
	signer := must(note.NewSigner("PRIVATE+KEY+" + origin + "+" + keyHash + "+" + secret))
	witness := newCosigner()

	var kept hashes
	var states []at
	var size int64
	for _, next := range sizes {
		for ; size < next; size++ {
			kept = append(kept, must(tlog.StoredHashes(size, entry(size), kept))...)
		}
		state := at{next, "", map[string]string{}, map[string][]string{}, map[string][]string{}}
		root := must(tlog.TreeHash(next, kept))
		text := fmt.Sprintf("%s\n%d\n%s\n", origin, next, root)
		state.Checkpoint = string(must(note.Sign(&note.Note{Text: text}, signer, witness)))
		for _, tile := range tiles(next) {
			state.Files[path(tile)] = sum(must(tlog.ReadTileData(tile, kept)))
			if tile.L == 0 {
				place := strings.Replace(path(tile), "tile/0/", "tile/entries/", 1)
				state.Files[place] = sum(bundle(tile.N*256, int64(tile.W)))
			}
		}
		if len(state.Files) > 20 { // The last ones tell enough.
			for name := range state.Files {
				if !strings.Contains(name, ".p/") && !strings.HasPrefix(name, "tile/1/") {
					delete(state.Files, name)
				}
			}
		}
		for _, index := range []int64{0, 1, next / 3, next / 2, next - 1} {
			if index < next {
				proof := must(tlog.ProveRecord(next, index, kept))
				state.Inclusion[fmt.Sprint(index)] = texts(proof)
			}
		}
		for _, old := range sizes {
			if old < next {
				state.Consistent[fmt.Sprint(old)] = texts(must(tlog.ProveTree(next, old, kept)))
			}
		}
		states = append(states, state)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", " ")
	must(0, out.Encode(map[string]any{
		"seed": hex.EncodeToString(seed[:]), "vkey": vkey, "witness_seed": hex.EncodeToString(seed[:]),
		"witness": witness.vkey(), "time": moment, "states": states,
	}))
}

// cosigner signs as a witness does (C2SP tlog-cosignature): the time is signed as well.
type cosigner struct{ private ed25519.PrivateKey }

func newCosigner() cosigner {
	seed := sha256.Sum256([]byte("a key for tests"))
	return cosigner{ed25519.NewKeyFromSeed(seed[:])}
}

func (c cosigner) key() []byte {
	return append([]byte{4}, c.private.Public().(ed25519.PublicKey)...)
}

func (c cosigner) Name() string { return observer }

func (c cosigner) KeyHash() uint32 {
	hashed := sha256.Sum256(append([]byte(observer+"\n"), c.key()...))
	return binary.BigEndian.Uint32(hashed[:])
}

func (c cosigner) Sign(text []byte) ([]byte, error) {
	said := fmt.Sprintf("cosignature/v1\ntime %d\n%s", moment, text)
	signed := binary.BigEndian.AppendUint64(nil, moment)
	return append(signed, ed25519.Sign(c.private, []byte(said))...), nil
}

func (c cosigner) vkey() string {
	key := base64.StdEncoding.EncodeToString(c.key())
	return fmt.Sprintf("%s+%08x+%s", observer, c.KeyHash(), key)
}

// directory reads tiles of a copied log.
type directory string

func (d directory) Height() int { return 8 }

func (d directory) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(tiles))
	for n, tile := range tiles {
		content, err := os.ReadFile(filepath.Join(string(d), path(tile)))
		if err != nil {
			return nil, err
		}
		found[n] = content
	}
	return found, nil
}

func (d directory) SaveTiles([]tlog.Tile, [][]byte) {}

// read checks a copied log: signature, every tile, and for every entry that it is in the tree.
func read(where string) {
	file := func(name string) string { return string(must(os.ReadFile(filepath.Join(where, name)))) }
	verifier := must(note.NewVerifier(strings.TrimSpace(file("vkey"))))
	opened := must(note.Open([]byte(file("checkpoint")), note.VerifierList(verifier)))
	lines := strings.Split(opened.Text, "\n")
	var size int64
	must(fmt.Sscan(lines[1], &size))
	tree := tlog.Tree{N: size, Hash: must(tlog.ParseHash(lines[2]))}
	reader := tlog.TileHashReader(tree, directory(where))
	if root := must(tlog.TreeHash(size, reader)); root != tree.Hash {
		log.Fatal("the root is another")
	}
	for _, tile := range tiles(size) {
		if tile.L != 0 {
			continue
		}
		content := []byte(file(strings.Replace(path(tile), "tile/0/", "tile/entries/", 1)))
		for n := int64(0); n < int64(tile.W); n++ {
			length := binary.BigEndian.Uint16(content)
			each := content[2 : 2+length]
			content = content[2+length:]
			index := tile.N*256 + n
			proof := must(tlog.ProveRecord(size, index, reader))
			err := tlog.CheckRecord(proof, size, tree.Hash, index, tlog.RecordHash(each))
			must(0, err)
		}
		if len(content) != 0 {
			log.Fatal("a bundle has more than its entries")
		}
	}
	fmt.Printf("%s: signed by %s, %d entries, each in the tree\n", lines[0], verifier.Name(), size)
}
