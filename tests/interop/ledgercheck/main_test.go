package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
)

const (
	logKey     = "ledger.example/kat1+d29fab9c+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
	witnessKey = "witness.example/w1+e75f6532+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
	text8      = "ledger.example/kat1\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n"
	logLine    = "— ledger.example/kat1 0p+rnJ65s7Y5K3O8xcX5FH9u7dV+DPOxiE1PHbXBiRpXHlbgwZA39EqJZLcbvfgJ7L/7vfFZEhoOPzch8t+dEZYjQQ8=\n"
	witness1   = "— witness.example/w1 519lMgAAAABlU/EAAc3jpOjUVkZ77qpJV+wPi7txXbwgFKGsOCvIH/WejCtA/ELKRMUSHswnf7F90kdpiZwbEpdKPzVh2AInF7paBg==\n"
	logSecret  = "PRIVATE+KEY+ledger.example/kat1+d29fab9c+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
)

var knownLeaves = []string{"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}

var knownRoots = []string{
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}

var hashA, hashB, hashC = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
	"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
	"6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, dir, name string, content []byte) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// knownLog is an export of the eight known leaves, cosigned.
func knownLog(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var bundle, tile []byte
	for _, leaf := range knownLeaves {
		entry := unhex(t, leaf)
		bundle = append(append(bundle, 0, byte(len(entry))), entry...)
		tile = append(tile, hashLeaf(entry)...)
	}
	write(t, dir, "checkpoint", []byte(text8+"\n"+logLine+witness1))
	write(t, dir, "verifier-key", []byte(logKey+"\n"))
	write(t, dir, "tile/0/000.p/8", tile)
	write(t, dir, "tile/entries/000.p/8", bundle)
	return dir
}

func inclusion(t *testing.T, index, size uint64, leaf string, path ...string) string {
	t.Helper()
	hashes := [][]byte{}
	for _, p := range path {
		hashes = append(hashes, unhex(t, p))
	}
	out, err := json.Marshal(proofObject{Index: &index, Size: &size, LeafHash: hashLeaf(unhex(t, leaf)), Hashes: hashes})
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func consistency(t *testing.T, from, to uint64, path ...string) string {
	t.Helper()
	var hashes []string
	for _, p := range path {
		hashes = append(hashes, `"`+base64.StdEncoding.EncodeToString(unhex(t, p))+`"`)
	}
	return fmt.Sprintf(`{"from":%d,"to":%d,"hashes":[%s]}`, from, to, strings.Join(hashes, ","))
}

func run(dir, proofs string, witnesses ...string) error {
	o := options{dir: dir, witnesses: witnesses, damage: true, proofs: []string{"-"}}
	return check(o, strings.NewReader(proofs), &bytes.Buffer{})
}

func wantError(t *testing.T, err error, part string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), part) {
		t.Errorf("got %v, want an error with %q", err, part)
	}
}

func TestKnownRoots(t *testing.T) {
	l := newLedger()
	for size := 0; size <= len(knownLeaves); size++ {
		for earlier := 0; earlier <= size; earlier++ {
			root, err := l.root(uint64(earlier))
			if err != nil || hex.EncodeToString(root) != knownRoots[earlier] {
				t.Errorf("root of %d in %d: %x, %v", earlier, size, root, err)
			}
		}
		if size < len(knownLeaves) {
			if err := l.append(unhex(t, knownLeaves[size])); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := l.root(9); err == nil {
		t.Error("a root beyond the ledger")
	}
}

func TestKnownLogHolds(t *testing.T) {
	dir := knownLog(t)
	d, e, f := "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
		"ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
		"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
	proofs := strings.Join([]string{
		inclusion(t, 0, 8, knownLeaves[0], hashA, hashB, hashC), inclusion(t, 5, 8, knownLeaves[5], d, e, knownRoots[4]),
		inclusion(t, 2, 3, knownLeaves[2], knownRoots[2]), inclusion(t, 1, 5, knownLeaves[1], knownRoots[1], hashB, d),
		inclusion(t, 0, 1, knownLeaves[0]),
		consistency(t, 1, 8, hashA, hashB, hashC), consistency(t, 6, 8, f, e, knownRoots[4]), consistency(t, 2, 5, hashB, d),
		consistency(t, 8, 8),
	}, "\n")
	if err := run(dir, proofs, witnessKey); err != nil {
		t.Error(err)
	}
	if err := run(dir, proofs); err != nil {
		t.Error(err)
	}
}

func TestDamagedProofs(t *testing.T) {
	dir := knownLog(t)
	good := inclusion(t, 0, 8, knownLeaves[0], hashA, hashB, hashC)
	withNote := func(object, signed string) string {
		quoted, _ := json.Marshal(signed)
		return strings.TrimSuffix(object, "}") + `,"checkpoint":` + string(quoted) + "}"
	}
	// json.Marshal has written "checkpoint":"" already; the later key wins.
	if err := run(dir, withNote(good, text8+"\n"+logLine)); err != nil {
		t.Error(err)
	}
	for proof, want := range map[string]string{
		inclusion(t, 0, 8, knownLeaves[0], hashA, hashC, hashB):      "inclusion of 0 in 8",
		inclusion(t, 0, 8, knownLeaves[0], hashA, hashB):             "wrong proof size",
		inclusion(t, 1, 8, knownLeaves[0], hashA, hashB, hashC):      "not that of the entry",
		inclusion(t, 0, 9, knownLeaves[0], hashA, hashB, hashC):      "beyond the ledger",
		inclusion(t, 8, 8, knownLeaves[0], hashA, hashB, hashC):      "not in size",
		inclusion(t, 0, 8, knownLeaves[0], hashA, hashB, hashC[:62]): "a hash of 31 bytes",
		consistency(t, 1, 8, hashA, hashB):                           "wrong proof size",
		consistency(t, 2, 8, hashA, hashB, hashC):                    "consistency from 2 to 8",
		consistency(t, 0, 8):                                         "proves nothing",
		consistency(t, 8, 7):                                         "backwards",
		consistency(t, 1, 9, hashA, hashB, hashC):                    "beyond the ledger",
		`{"hashes":[]}`:                        "neither",
		`{"index":0`:                           "proof 1",
		withNote(good, "x"+text8+"\n"+logLine): "its checkpoint",
		withNote(inclusion(t, 2, 3, "10", knownRoots[2]), text8+"\n"+logLine): "its checkpoint has size 8",
	} {
		wantError(t, run(dir, proof), want)
	}
}

func TestDamagedExports(t *testing.T) {
	other, err := note.NewSigner(logSecret)
	if err != nil {
		t.Fatal(err)
	}
	resigned := func(text string) []byte {
		signed, err := note.Sign(&note.Note{Text: text}, other)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	flip := func(name string, at int) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			content, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			content[at] ^= 1
			write(t, dir, name, content)
		}
	}
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	put := func(name string, content []byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) { write(t, dir, name, content) }
	}
	for name, c := range map[string]struct {
		damage func(*testing.T, string)
		want   string
	}{
		"signature":       {flip("checkpoint", len(text8)+40), "checkpoint"},
		"signed root":     {put("checkpoint", resigned(strings.Replace(text8, "X", "Y", 1))), "the entries' root"},
		"signed size":     {put("checkpoint", resigned(strings.Replace(text8, "8", "7", 1))), "no such file"},
		"another origin":  {put("checkpoint", resigned(strings.Replace(text8, "kat1", "kat2", 1))), "origin"},
		"a fourth line":   {put("checkpoint", resigned(text8+"more\n")), "three lines"},
		"leading zero":    {put("checkpoint", resigned(strings.Replace(text8, "8", "08", 1))), "size"},
		"entry":           {flip("tile/entries/000.p/8", 4), "the entries' root"},
		"entry length":    {flip("tile/entries/000.p/8", 1), "tile/entries"},
		"tile":            {flip("tile/0/000.p/8", 100), "not the hashes"},
		"no tile":         {remove("tile/0/000.p/8"), "no such file"},
		"no bundle":       {remove("tile/entries/000.p/8"), "no such file"},
		"no checkpoint":   {remove("checkpoint"), "no such file"},
		"no key":          {remove("verifier-key"), "no such file"},
		"another key":     {flip("verifier-key", 30), "verifier key"},
		"a tile too many": {put("tile/1/000.p/1", make([]byte, 32)), "does not belong"},
		"an early tile":   {put("tile/0/000.p/3", make([]byte, 96)), "not the beginning"},
		"an early bundle": {put("tile/entries/000.p/2", []byte{0, 0}), "not the beginning"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := knownLog(t)
			c.damage(t, dir)
			wantError(t, run(dir, ""), c.want)
		})
	}
	dir := knownLog(t)
	write(t, dir, "tile/entries/000.p/2", []byte{0, 0, 0, 1, 0})
	write(t, dir, "payloads/anything", []byte("left alone"))
	if err := run(dir, ""); err != nil {
		t.Error(err)
	}
	write(t, dir, "checkpoint", []byte(text8+"\n"+logLine))
	wantError(t, run(dir, "", witnessKey), "witness")
}

func TestKeyFromOutside(t *testing.T) {
	dir := knownLog(t)
	o := options{dir: dir, key: logKey}
	if err := check(o, nil, &bytes.Buffer{}); err != nil {
		t.Error(err)
	}
	o.key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
	wantError(t, check(o, nil, &bytes.Buffer{}), "not the key that was given")
}

func TestOfflineProof(t *testing.T) {
	dir := knownLog(t)
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString(unhex(t, s)) + "\n" }
	front := "c2sp.org/tlog-proof@v1\nindex 0\n" + b64(hashA) + b64(hashB) + b64(hashC)
	file := func(text string) error {
		write(t, dir, "one.tlog-proof", []byte(text))
		o := options{dir: dir, witnesses: []string{witnessKey}, proofs: []string{filepath.Join(dir, "one.tlog-proof")}}
		return check(o, nil, &bytes.Buffer{})
	}
	if err := file(front + "\n" + text8 + "\n" + logLine + witness1); err != nil {
		t.Error(err)
	}
	if err := file(strings.Replace(front, "index", "extra AAAA\nindex", 1) + "\n" + text8 + "\n" + logLine + witness1); err != nil {
		t.Error(err)
	}
	wantError(t, file(front+"\n"+text8+"\n"+logLine), "witness")
	wantError(t, file(strings.Replace(front, "index 0", "index 1", 1)+"\n"+text8+"\n"+logLine+witness1), "inclusion of 1")
	wantError(t, file(strings.Replace(front, "index 0", "index 8", 1)+"\n"+text8+"\n"+logLine+witness1), "not in size")
	wantError(t, file(front+text8), "blank line")
}

func TestTilePaths(t *testing.T) {
	for want, got := range map[string]string{
		"tile/0/x001/x234/067":        tilePath(0, 1234067, 256),
		"tile/entries/x001/000.p/255": tilePath(entryKind, 1000, 255),
		"tile/1/273.p/17":             tilePath(1, 273, 17),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestDamagesAreDamages(t *testing.T) {
	path := [][]byte{bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)}
	before := fmt.Sprint(path)
	all := damages(path)
	if len(all) != 4 || len(damages(nil)) != 1 {
		t.Errorf("%d kinds", len(all))
	}
	for kind, damaged := range all {
		if fmt.Sprint(damaged) == before {
			t.Errorf("%s changed nothing", kind)
		}
	}
	if fmt.Sprint(path) != before {
		t.Error("the path itself was changed")
	}
}

// The golden header of erasure.effective, which other code has written.
func TestErasureFacts(t *testing.T) {
	text, err := os.ReadFile("../../golden/codec-v1/header-erasure-effective.hex")
	if err != nil {
		t.Fatal(err)
	}
	header := unhex(t, strings.Join(strings.Fields(string(text)), ""))
	e, err := parseEffective(header)
	if err != nil {
		t.Fatal(err)
	}
	if e.oldEpoch != 7 || e.newEpoch != 8 || e.leaves != 12 || e.grade != 1 || e.members != 2 || e.replicas != 3 ||
		e.oldRoot[0] != 0x01 || e.newRoot[0] != 0x81 || len(e.requests) != 2 || e.requests[1] != 6 {
		t.Errorf("%+v", e)
	}
	for size := 0; size < len(header); size++ {
		if _, err := parseEffective(header[:size]); err == nil {
			t.Errorf("a header of %d bytes is taken", size)
		}
	}
}
