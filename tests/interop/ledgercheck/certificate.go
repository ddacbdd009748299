package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

const certificateTitle = "Siegel certificate of erasure, version 1"

// The lines of a certificate by name, in their order: one group about the erasure and the event that completed it, then
// one for each earlier event.
type certificateLines map[string][]string

func (l certificateLines) one(name string) (string, error) {
	if len(l[name]) != 1 {
		return "", fmt.Errorf("%d lines %q", len(l[name]), name)
	}
	return l[name][0], nil
}

func (l certificateLines) number(name string) (uint64, error) {
	text, err := l.one(name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || strconv.FormatUint(n, 10) != text {
		return 0, fmt.Errorf("%s %q", name, text)
	}
	return n, nil
}

func (l certificateLines) bytes(name string) ([]byte, error) {
	text, err := l.one(name)
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.Strict().DecodeString(text)
}

func splitCertificate(text string) ([]certificateLines, error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if lines[0] != certificateTitle {
		return nil, errors.New("not a certificate")
	}
	groups := []certificateLines{{}}
	for _, line := range lines[1:] {
		name, value, found := strings.Cut(line, ": ")
		if !found {
			return nil, fmt.Errorf("line %q", line)
		}
		at := groups[len(groups)-1]
		if name == "unreadable since" && len(at["event"]) > 0 {
			at = certificateLines{}
			groups = append(groups, at)
		}
		at[name] = append(at[name], value)
	}
	return groups, nil
}

// The facts of erasure.effective, read by hand as docs/formats/header.md tells.
type effective struct {
	eventType, seq             uint64
	oldEpoch, newEpoch, leaves uint64
	grade, members, replicas   uint16
	oldRoot, newRoot           []byte
	requests                   []uint64
}

func parseEffective(header []byte) (*effective, error) {
	if len(header) < 8 || len(header)%8 != 0 {
		return nil, errors.New("a header of no whole words")
	}
	data := 8 * int(binary.LittleEndian.Uint16(header[4:]))
	pointers := int(binary.LittleEndian.Uint16(header[6:]))
	if len(header) < 8+data+8*pointers {
		return nil, errors.New("a header that is cut off")
	}
	number := func(at, size int) uint64 { // of the message; beyond the data section all is zero
		var word [8]byte
		if at+size <= 8+data {
			copy(word[:], header[at:at+size])
		}
		return binary.LittleEndian.Uint64(word[:])
	}
	list := func(index int, elementCode uint64, elementBytes int) ([]byte, error) {
		if index >= pointers {
			return nil, nil
		}
		at := 8 + data + 8*index
		word := binary.LittleEndian.Uint64(header[at:])
		if word == 0 {
			return nil, nil
		}
		start := at + 8 + 8*int(uint32(word)>>2)
		size := elementBytes * int(word>>35)
		if word&3 != 1 || word>>32&7 != elementCode || start+size > len(header) {
			return nil, errors.New("a list of the header")
		}
		return header[start : start+size], nil
	}
	if number(8, 2) != 1 || number(46, 2) != 7 {
		return nil, errors.New("a header without the facts of an erasure")
	}
	e := &effective{eventType: number(40, 2), seq: number(16, 8), grade: uint16(number(52, 2)), members: uint16(number(54, 2)),
		oldEpoch: number(56, 8), newEpoch: number(64, 8), leaves: number(72, 8), replicas: uint16(number(80, 2))}
	var err error
	if e.oldRoot, err = list(3, 2, 1); err != nil {
		return nil, err
	}
	if e.newRoot, err = list(4, 2, 1); err != nil {
		return nil, err
	}
	requests, err := list(5, 5, 8)
	for ; len(requests) > 0; requests = requests[8:] {
		e.requests = append(e.requests, binary.LittleEndian.Uint64(requests))
	}
	return e, err
}

// checkCertificate needs nothing but the ledger's key: the signature, then for each event that its header leads to the
// root and says what the lines say, that every request is told once, and that epochs go forward.
func (o *opener) checkCertificate(signed []byte) (events int, err error) {
	n, err := note.Open(signed, note.VerifierList(o.log))
	if err != nil {
		return 0, err
	}
	groups, err := splitCertificate(n.Text)
	if err != nil {
		return 0, err
	}
	about := groups[0]
	if ledger, err := about.one("ledger"); err != nil || ledger != o.log.Name() {
		return 0, fmt.Errorf("ledger %q is not the key's name %q", ledger, o.log.Name())
	}
	size, err := about.number("tree size")
	if err != nil {
		return 0, err
	}
	root, err := about.bytes("tree root")
	if err != nil || len(root) != rfc6962.DefaultHasher.Size() {
		return 0, fmt.Errorf("tree root: %v", err)
	}
	var earlier uint64
	if len(about["earlier events"]) > 0 {
		if earlier, err = about.number("earlier events"); err != nil {
			return 0, err
		}
	}
	if uint64(len(groups)-1) != earlier {
		return 0, fmt.Errorf("%d earlier events, and %d are told of", earlier, len(groups)-1)
	}
	var told uint64
	seen := map[uint64]bool{}
	previous := uint64(0)
	for _, group := range append(groups[1:], about) { // the one that completed the erasure is the last
		e, err := checkEvent(group, size, root)
		if err != nil {
			return 0, err
		}
		if e.oldEpoch < previous {
			return 0, fmt.Errorf("event %d: its epoch is before the one above", e.seq)
		}
		previous = e.newEpoch
		count, err := group.number("requests told by the event")
		if err != nil {
			return 0, err
		}
		told += count
		for _, request := range e.requests {
			if seen[request] {
				return 0, fmt.Errorf("request %d is told twice", request)
			}
			seen[request] = true
		}
		if count == 0 || count > uint64(len(e.requests)) {
			return 0, fmt.Errorf("event %d names %d requests, not %d", e.seq, len(e.requests), count)
		}
	}
	all, err := about.number("requests of the erasure")
	if err != nil {
		return 0, err
	}
	if told != all {
		return 0, fmt.Errorf("the events tell %d of %d requests", told, all)
	}
	return len(groups), nil
}

func checkEvent(lines certificateLines, size uint64, root []byte) (*effective, error) {
	index, err := lines.number("event")
	if err != nil {
		return nil, err
	}
	header, err := lines.bytes("event header")
	if err != nil {
		return nil, err
	}
	var hashes [][]byte
	for _, line := range lines["inclusion"] {
		hash, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	if index >= size {
		return nil, fmt.Errorf("event %d is not in size %d", index, size)
	}
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, index, size, hashLeaf(header), hashes, root); err != nil {
		return nil, fmt.Errorf("event %d: %w", index, err)
	}
	e, err := parseEffective(header)
	if err != nil {
		return nil, fmt.Errorf("event %d: %w", index, err)
	}
	if e.eventType != 0x0602 {
		return nil, fmt.Errorf("event %d is no erasure.effective", index)
	}
	if e.seq != index || e.newEpoch != e.oldEpoch+1 || bytes.Equal(e.oldRoot, e.newRoot) {
		return nil, fmt.Errorf("event %d is of %d, epoch %d to %d", index, e.seq, e.oldEpoch, e.newEpoch)
	}
	for name, want := range map[string]string{
		"key epoch before":                       strconv.FormatUint(e.oldEpoch, 10),
		"key epoch after":                        strconv.FormatUint(e.newEpoch, 10),
		"root node before":                       hex.EncodeToString(e.oldRoot),
		"root node after":                        hex.EncodeToString(e.newRoot),
		"root-store grade":                       fmt.Sprintf("L%d", e.grade),
		"root stores that destroyed the old key": strconv.Itoa(int(e.members)),
		"key replicas":                           strconv.Itoa(int(e.replicas)),
	} {
		if got, err := lines.one(name); err != nil || got != want {
			return nil, fmt.Errorf("event %d: %s %q, its header says %q", index, name, got, want)
		}
	}
	return e, nil
}
