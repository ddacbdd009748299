// Ledgercheck checks an exported ledger with code that is not ours: the note package of golang.org/x/mod and the
// verifiers of github.com/transparency-dev/merkle.
//
//	ledgercheck [-key VKEY] [-witness VKEY]... [-damage] DIR [PROOFS|-]...
//	ledgercheck -key VKEY -certificates FILE...
//
// FILEs are certificates of erasures (docs/formats/certificate.md), which need no export and no server to be checked.
//
// DIR is what `siegel export-log DIR` writes (docs/formats, C2SP tlog-tiles); other files in it are left alone:
//
//	checkpoint                     the signed note
//	verifier-key                   the log's key, one line; -key takes precedence and must then agree with it
//	tile/<L>/<N>[.p/<W>]           hashes
//	tile/entries/<N>[.p/<W>]       entries, each u16 BE length | bytes
//
// PROOFS are files ("-": standard input) of JSON objects, one behind the other, as the API answers them; "checkpoint" is
// checked where it is given:
//
//	{"index":4711,"size":4712,"leaf_hash":"<b64>","hashes":["<b64>"],"checkpoint":"<note>"}
//	{"from":4711,"to":4712,"hashes":["<b64>"],"checkpoint":"<note>"}
//
// A file that ends in .tlog-proof is an offline proof (C2SP tlog-proof).
//
// Checked are: the log's signature (and every witness's that is named: it must be there); origin, size and root of the
// checkpoint; the root, computed anew from the entries; each tile, and that none is missing or too many; each proof,
// against roots and leaves computed from the entries. With -damage each proof is also changed in every way (one hash
// added, removed, swapped, one bit flipped), and the verifiers must refuse it.
//
// Exit: 0 all is well; 1 something does not hold, the reason is on standard error; 2 wrong usage.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

type witnessKeys []string

func (w *witnessKeys) String() string     { return strings.Join(*w, " ") }
func (w *witnessKeys) Set(s string) error { *w = append(*w, s); return nil }

type options struct {
	key       string
	witnesses []string
	damage    bool
	certified bool
	dir       string
	proofs    []string
}

func check(o options, stdin io.Reader, report io.Writer) error {
	key, err := verifierKey(o)
	if err != nil {
		return err
	}
	opener, err := newOpener(key, o.witnesses)
	if err != nil {
		return err
	}
	signed, err := os.ReadFile(filepath.Join(o.dir, "checkpoint"))
	if err != nil {
		return err
	}
	cp, err := opener.openCosigned(signed)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	log, err := readLog(o.dir, cp.size)
	if err != nil {
		return err
	}
	if err := log.agrees(cp); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if err := log.checkTiles(o.dir); err != nil {
		return err
	}
	c := proofChecker{log: log, opener: opener, damage: o.damage}
	for _, name := range o.proofs {
		if err := c.checkFile(name, stdin); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	fmt.Fprintf(report, "ok: %s, size %d, %d tiles, %d inclusion proofs, %d consistency proofs\n",
		cp.origin, cp.size, log.tilesChecked, c.inclusions, c.consistencies)
	return nil
}

func checkCertificates(o options, report io.Writer) error {
	opener, err := newOpener(o.key, nil)
	if err != nil {
		return err
	}
	for _, name := range o.proofs {
		signed, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		events, err := opener.checkCertificate(signed)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Fprintf(report, "ok: a certificate of %d events\n", events)
	}
	return nil
}

func verifierKey(o options) (string, error) {
	stored, err := os.ReadFile(filepath.Join(o.dir, "verifier-key"))
	if err != nil && (o.key == "" || !errors.Is(err, os.ErrNotExist)) {
		return "", err
	}
	text := strings.TrimSuffix(string(stored), "\n")
	if o.key == "" {
		return text, nil
	}
	if err == nil && text != o.key {
		return "", errors.New("verifier-key is not the key that was given")
	}
	return o.key, nil
}

func main() {
	var o options
	flags := flag.NewFlagSet("ledgercheck", flag.ContinueOnError)
	flags.StringVar(&o.key, "key", "", "the log's verifier key")
	flags.Var((*witnessKeys)(&o.witnesses), "witness", "verifier key of a witness that must have cosigned")
	flags.BoolVar(&o.damage, "damage", false, "also require that damaged proofs are refused")
	flags.BoolVar(&o.certified, "certificates", false, "the arguments are certificates of erasures")
	if flags.Parse(os.Args[1:]) != nil {
		os.Exit(2)
	}
	if flags.NArg() < 1 {
		fmt.Fprintln(os.Stderr, "usage: ledgercheck [-key VKEY] [-witness VKEY]... [-damage] DIR [PROOFS|-]...\n"+
			"       ledgercheck -key VKEY -certificates FILE...")
		os.Exit(2)
	}
	run := func() error { return check(o, os.Stdin, os.Stdout) }
	if o.certified {
		o.proofs = flags.Args()
		run = func() error { return checkCertificates(o, os.Stdout) }
	} else {
		o.dir, o.proofs = flags.Arg(0), flags.Args()[1:]
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "ledgercheck:", err)
		os.Exit(1)
	}
}
