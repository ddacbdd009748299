package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

type checkpoint struct {
	origin string
	size   uint64
	root   []byte
}

// An opener opens checkpoints of one log.
type opener struct {
	log       note.Verifier
	witnesses []note.Verifier
}

func newOpener(key string, witnesses []string) (*opener, error) {
	log, err := note.NewVerifier(key)
	if err != nil {
		return nil, fmt.Errorf("verifier key: %w", err)
	}
	o := &opener{log: log}
	for _, text := range witnesses {
		w, err := newCosignatureVerifier(text)
		if err != nil {
			return nil, fmt.Errorf("witness key: %w", err)
		}
		o.witnesses = append(o.witnesses, w)
	}
	return o, nil
}

// open needs the log's signature only.
func (o *opener) open(signed []byte) (*checkpoint, error) {
	n, err := note.Open(signed, note.VerifierList(o.log))
	if err != nil {
		return nil, err
	}
	cp, err := parseCheckpoint(n.Text)
	if err != nil {
		return nil, err
	}
	if cp.origin != o.log.Name() {
		return nil, fmt.Errorf("origin %q is not the key's name %q", cp.origin, o.log.Name())
	}
	return cp, nil
}

// openCosigned needs every witness's besides.
func (o *opener) openCosigned(signed []byte) (*checkpoint, error) {
	for _, w := range o.witnesses {
		if _, err := note.Open(signed, note.VerifierList(w)); err != nil {
			return nil, fmt.Errorf("witness %s: %w", w.Name(), err)
		}
	}
	return o.open(signed)
}

func parseCheckpoint(text string) (*checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] == "" {
		return nil, errors.New("not exactly three lines")
	}
	size, err := strconv.ParseUint(lines[1], 10, 63)
	if err != nil || strconv.FormatUint(size, 10) != lines[1] {
		return nil, fmt.Errorf("size %q", lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != sha256.Size {
		return nil, fmt.Errorf("root %q", lines[2])
	}
	return &checkpoint{origin: lines[0], size: size, root: root}, nil
}

// The note package knows Ed25519 over the text only; a witness signs text and time (C2SP tlog-cosignature, type 04).
type cosignatureVerifier struct {
	name string
	id   uint32
	key  ed25519.PublicKey
}

func newCosignatureVerifier(vkey string) (note.Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 || len(parts[1]) != 8 {
		return nil, errors.New("malformed")
	}
	id, err := hex.DecodeString(parts[1])
	if err != nil {
		return nil, err
	}
	typed, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return nil, err
	}
	if len(typed) != 1+ed25519.PublicKeySize || typed[0] != 0x04 {
		return nil, errors.New("not an Ed25519 cosignature key")
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), typed...))
	if !bytes.Equal(sum[:4], id) {
		return nil, errors.New("the key id is another key's")
	}
	return &cosignatureVerifier{parts[0], binary.BigEndian.Uint32(id), typed[1:]}, nil
}

func (v *cosignatureVerifier) Name() string    { return v.name }
func (v *cosignatureVerifier) KeyHash() uint32 { return v.id }
func (v *cosignatureVerifier) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), msg)
	return ed25519.Verify(v.key, []byte(signed), sig[8:])
}
