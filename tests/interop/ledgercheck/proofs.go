package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"os"
	"strconv"
	"strings"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
)

// One object of a file of proofs: inclusion if it has an index, consistency if it has a from.
type proofObject struct {
	Index      *uint64  `json:"index"`
	Size       *uint64  `json:"size"`
	LeafHash   []byte   `json:"leaf_hash"`
	From       *uint64  `json:"from"`
	To         *uint64  `json:"to"`
	Hashes     [][]byte `json:"hashes"`
	Checkpoint string   `json:"checkpoint"`
}

type proofChecker struct {
	log           *ledger
	opener        *opener
	damage        bool
	inclusions    int
	consistencies int
}

func (c *proofChecker) checkFile(name string, stdin io.Reader) error {
	in := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
	}
	if strings.HasSuffix(name, ".tlog-proof") {
		text, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		return c.checkOffline(string(text))
	}
	decoder := json.NewDecoder(bufio.NewReaderSize(in, 1<<20))
	for number := 1; ; number++ {
		var object proofObject
		if err := decoder.Decode(&object); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("proof %d: %w", number, err)
		}
		if err := c.checkObject(&object); err != nil {
			return fmt.Errorf("proof %d: %w", number, err)
		}
	}
}

func (c *proofChecker) checkObject(o *proofObject) error {
	inclusion := o.Index != nil && o.Size != nil && o.From == nil && o.To == nil
	consistency := o.From != nil && o.To != nil && o.Index == nil && o.Size == nil
	if !inclusion && !consistency {
		return errors.New("neither an inclusion nor a consistency proof")
	}
	if o.Checkpoint != "" {
		cp, err := c.opener.open([]byte(o.Checkpoint))
		if err != nil {
			return fmt.Errorf("its checkpoint: %w", err)
		}
		if err := c.log.agrees(cp); err != nil {
			return fmt.Errorf("its checkpoint: %w", err)
		}
		if inclusion && cp.size != *o.Size || consistency && cp.size != *o.To {
			return fmt.Errorf("its checkpoint has size %d", cp.size)
		}
	}
	if inclusion {
		return c.checkInclusion(*o.Index, *o.Size, o.LeafHash, o.Hashes)
	}
	return c.checkConsistency(*o.From, *o.To, o.Hashes)
}

func (c *proofChecker) checkInclusion(index, size uint64, leaf []byte, hashes [][]byte) error {
	root, err := c.log.root(size)
	if err != nil {
		return err
	}
	if index >= size {
		return fmt.Errorf("index %d is not in size %d", index, size)
	}
	if !bytes.Equal(leaf, c.log.nodes[0][index]) {
		return fmt.Errorf("leaf hash of index %d is not that of the entry", index)
	}
	c.inclusions++
	return c.holds(fmt.Sprintf("inclusion of %d in %d", index, size), hashes, func(hashes [][]byte) error {
		return proof.VerifyInclusion(rfc6962.DefaultHasher, index, size, leaf, hashes, root)
	})
}

func (c *proofChecker) checkConsistency(from, to uint64, hashes [][]byte) error {
	if from == 0 {
		return errors.New("consistency from size 0 proves nothing")
	}
	newRoot, err := c.log.root(to)
	if err != nil {
		return err
	}
	if from > to {
		return fmt.Errorf("from %d to %d goes backwards", from, to)
	}
	oldRoot, err := c.log.root(from)
	if err != nil {
		return err
	}
	c.consistencies++
	return c.holds(fmt.Sprintf("consistency from %d to %d", from, to), hashes, func(hashes [][]byte) error {
		return proof.VerifyConsistency(rfc6962.DefaultHasher, from, to, hashes, oldRoot, newRoot)
	})
}

func (c *proofChecker) holds(what string, hashes [][]byte, verify func([][]byte) error) error {
	for _, hash := range hashes {
		if len(hash) != rfc6962.DefaultHasher.Size() {
			return fmt.Errorf("%s: a hash of %d bytes", what, len(hash))
		}
	}
	if err := verify(hashes); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if !c.damage {
		return nil
	}
	for kind, damaged := range damages(hashes) {
		if verify(damaged) == nil {
			return fmt.Errorf("%s: holds also with %s", what, kind)
		}
	}
	return nil
}

// damages changes the path in every way, each at a random place.
func damages(path [][]byte) map[string][][]byte {
	n := len(path)
	out := map[string][][]byte{}
	at := rand.Intn(n + 1)
	added := append(append([][]byte{}, path[:at]...), make([]byte, rfc6962.DefaultHasher.Size()))
	out["a hash added"] = append(added, path[at:]...)
	if n > 0 {
		at := rand.Intn(n)
		out["a hash removed"] = append(append([][]byte{}, path[:at]...), path[at+1:]...)
		flipped := append([][]byte{}, path...)
		flipped[at] = append([]byte{}, path[at]...)
		bit := rand.Intn(8 * len(path[at]))
		flipped[at][bit/8] ^= 1 << uint(bit%8)
		out["a bit flipped"] = flipped
	}
	if n > 1 {
		at := rand.Intn(n - 1)
		swapped := append([][]byte{}, path...)
		swapped[at], swapped[at+1] = swapped[at+1], swapped[at]
		out["two hashes swapped"] = swapped
	}
	return out
}

// checkOffline checks a .tlog-proof. It names no leaf: the entry at its index must be the one.
func (c *proofChecker) checkOffline(text string) error {
	front, signed, found := strings.Cut(text, "\n\n")
	if !found {
		return errors.New("no blank line before the checkpoint")
	}
	lines := strings.Split(front, "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not an offline proof")
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return errors.New("no index")
	}
	index, err := strconv.ParseUint(strings.TrimPrefix(lines[0], "index "), 10, 63)
	if err != nil {
		return err
	}
	var hashes [][]byte
	for _, line := range lines[1:] {
		hash, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil {
			return err
		}
		hashes = append(hashes, hash)
	}
	cp, err := c.opener.openCosigned([]byte(signed))
	if err != nil {
		return fmt.Errorf("its checkpoint: %w", err)
	}
	if err := c.log.agrees(cp); err != nil {
		return fmt.Errorf("its checkpoint: %w", err)
	}
	if index >= cp.size {
		return fmt.Errorf("index %d is not in size %d", index, cp.size)
	}
	return c.checkInclusion(index, cp.size, c.log.nodes[0][index], hashes)
}
