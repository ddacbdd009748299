package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
)

const (
	tileWidth  = 256
	tileHeight = 8
	entryKind  = -1 // in place of a level
)

// A ledger holds every perfect node, computed from the entries: nodes[level][index].
type ledger struct {
	nodes        [][][]byte
	leaves       *compact.Range
	tilesChecked int
}

func hashLeaf(entry []byte) []byte { return rfc6962.DefaultHasher.HashLeaf(entry) }

func newLedger() *ledger {
	factory := &compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	return &ledger{leaves: factory.NewEmptyRange(0)}
}

func (l *ledger) size() uint64 { return l.leaves.End() }

func (l *ledger) append(entry []byte) error {
	leaf := hashLeaf(entry)
	return l.leaves.Append(leaf, func(id compact.NodeID, hash []byte) {
		for len(l.nodes) <= int(id.Level) {
			l.nodes = append(l.nodes, nil)
		}
		l.nodes[id.Level] = append(l.nodes[id.Level], hash)
	})
}

// root is the root of the first size leaves.
func (l *ledger) root(size uint64) ([]byte, error) {
	if size > l.size() {
		return nil, fmt.Errorf("size %d is beyond the ledger's %d", size, l.size())
	}
	if size == 0 {
		return rfc6962.DefaultHasher.EmptyRoot(), nil
	}
	var root []byte
	begin := size
	for level := 0; begin > 0; level++ { // perfect subtrees from the right, smallest first
		if begin>>uint(level)&1 == 0 {
			continue
		}
		begin -= 1 << uint(level)
		node := l.nodes[level][begin>>uint(level)]
		if root == nil {
			root = node
		} else {
			root = rfc6962.DefaultHasher.HashChildren(node, root)
		}
	}
	return root, nil
}

func (l *ledger) agrees(cp *checkpoint) error {
	root, err := l.root(cp.size)
	if err != nil {
		return err
	}
	if !bytes.Equal(root, cp.root) {
		return fmt.Errorf("the entries' root at size %d is %x, signed is %x", cp.size, root, cp.root)
	}
	return nil
}

// tilePath is the name of a tile or (level entryKind) bundle of the given width.
func tilePath(level int, index uint64, width int) string {
	kind := "entries"
	if level != entryKind {
		kind = fmt.Sprint(level)
	}
	number := fmt.Sprintf("%03d", index%1000)
	for index /= 1000; index > 0; index /= 1000 {
		number = fmt.Sprintf("x%03d/%s", index%1000, number)
	}
	path := "tile/" + kind + "/" + number
	if width < tileWidth {
		path += fmt.Sprintf(".p/%d", width)
	}
	return path
}

// eachTile calls f for the tiles over count nodes of one level: full ones, then the partial one.
func eachTile(level int, count uint64, f func(path string, first uint64, width int) error) error {
	for first := uint64(0); first < count; first += tileWidth {
		width := tileWidth
		if count-first < tileWidth {
			width = int(count - first)
		}
		if err := f(tilePath(level, first/tileWidth, width), first, width); err != nil {
			return err
		}
	}
	return nil
}

// readLog computes the ledger from its entry bundles.
func readLog(dir string, size uint64) (*ledger, error) {
	l := newLedger()
	err := eachTile(entryKind, size, func(path string, first uint64, width int) error {
		bundle, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
		if err != nil {
			return err
		}
		entries, err := splitBundle(bundle)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if len(entries) != width {
			return fmt.Errorf("%s: %d entries", path, len(entries))
		}
		for _, entry := range entries {
			if err := l.append(entry); err != nil {
				return err
			}
		}
		return nil
	})
	return l, err
}

func splitBundle(bundle []byte) ([][]byte, error) {
	var entries [][]byte
	for len(bundle) > 0 {
		if len(bundle) < 2 {
			return nil, errors.New("cut short in a length")
		}
		length := int(binary.BigEndian.Uint16(bundle))
		if bundle = bundle[2:]; len(bundle) < length {
			return nil, errors.New("cut short in an entry")
		}
		entries = append(entries, bundle[:length])
		bundle = bundle[length:]
	}
	return entries, nil
}

// checkTiles wants every tile of this size, with the right hashes, and no file besides under tile/ except partial tiles
// and bundles of earlier sizes, which must be beginnings of what stands there now.
func (l *ledger) checkTiles(dir string) error {
	known := map[string]bool{}
	for level := 0; ; level++ {
		count := l.size() >> uint(level*tileHeight)
		if count == 0 {
			break
		}
		err := eachTile(level, count, func(path string, first uint64, width int) error {
			known[path] = true
			var want []byte
			for _, node := range l.nodes[level*tileHeight][first : first+uint64(width)] {
				want = append(want, node...)
			}
			got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
			if err != nil {
				return err
			}
			if !bytes.Equal(got, want) {
				return fmt.Errorf("%s: not the hashes of the entries", path)
			}
			l.tilesChecked++
			return l.checkEarlier(dir, level, first, width, want, known)
		})
		if err != nil {
			return err
		}
	}
	err := eachTile(entryKind, l.size(), func(path string, first uint64, width int) error {
		known[path] = true
		bundle, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
		if err != nil {
			return err
		}
		return l.checkEarlier(dir, entryKind, first, width, bundle, known)
	})
	if err != nil {
		return err
	}
	return refuseOthers(dir, known)
}

func (l *ledger) checkEarlier(dir string, level int, first uint64, width int, now []byte, known map[string]bool) error {
	for w := 1; w < width; w++ {
		path := tilePath(level, first/tileWidth, w)
		earlier, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if !bytes.HasPrefix(now, earlier) || !hasItems(level, earlier, w) {
			return fmt.Errorf("%s: not the beginning of what follows", path)
		}
		known[path] = true
	}
	return nil
}

func hasItems(level int, content []byte, count int) bool {
	if level != entryKind {
		return len(content) == count*rfc6962.DefaultHasher.Size()
	}
	entries, err := splitBundle(content)
	return err == nil && len(entries) == count
}

func refuseOthers(dir string, known map[string]bool) error {
	root := filepath.Join(dir, "tile")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name := "tile/" + filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))
		if !known[name] {
			return fmt.Errorf("%s: does not belong to this size", name)
		}
		return nil
	})
	if errors.Is(err, os.ErrNotExist) {
		return nil // a ledger without entries
	}
	return err
}
