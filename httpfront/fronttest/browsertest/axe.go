package browsertest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/chromedp/chromedp"
)

// The version of axe-core, and the SHA-256 of its axe.min.js.
const (
	axeVersion = "4.14.1"
	axeDigest  = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
)

// violation is what axe-core says about a rule that a page breaks.
type violation struct {
	ID    string `json:"id"`
	Help  string `json:"help"`
	Nodes []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// runAxe applies all rules, contrast of 4.5:1 among them, and also reports what
// axe cannot decide about contrast.
const runAxe = `axe.run(document, {resultTypes: ["violations", "incomplete"]}).then(r =>
	r.violations.concat(r.incomplete.filter(i => i.id.startsWith("color-contrast"))))`

// Violations are the accessibility rules that the page breaks.
func (b *Browser) Violations() []string {
	b.t.Helper()
	source, err := axe()
	if err != nil {
		b.t.Skipf("no axe-core: %v", err)
	}
	if b.scriptless {
		b.setScripts(true)
		defer b.setScripts(false)
	}
	run(b, "load axe", chromedp.Evaluate[chromedp.Void](string(source)))
	found := run(b, "axe", chromedp.Evaluate[[]violation](runAxe, chromedp.EvalAwaitPromise))
	var list []string
	for _, v := range found {
		for _, node := range v.Nodes {
			list = append(list, fmt.Sprintf("%s: %s\n%s\n%s", v.ID, v.Help, node.HTML, node.Summary))
		}
	}
	return list
}

// axe returns the source of axe-core; see the package comment.
var axe = sync.OnceValues(func() ([]byte, error) {
	if path := os.Getenv("SSOD_AXE"); path != "" {
		return checked(os.ReadFile(path))
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(cache, "ssod", "axe-core-"+axeVersion+".js")
	if source, err := checked(os.ReadFile(path)); err == nil {
		return source, nil
	}
	source, err := checked(fetch())
	if err != nil {
		return nil, err
	}
	return source, keep(path, source)
})

func checked(source []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(source); hex.EncodeToString(sum[:]) != axeDigest {
		return nil, fmt.Errorf("not axe-core %s: SHA-256 %x", axeVersion, sum)
	}
	return source, nil
}

// keep writes the file so that another test's process sees all of it or none.
func keep(path string, source []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "axe-*")
	if err != nil {
		return err
	}
	_, err = f.Write(source)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// fetch gets the package from the registry that npm is configured with.
func fetch() ([]byte, error) {
	dir, err := os.MkdirTemp("", "axe")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	npm := exec.Command("npm", "pack", "--silent", "axe-core@"+axeVersion)
	npm.Dir = dir
	if _, err := npm.Output(); err != nil {
		return nil, fmt.Errorf("npm pack: %w", err)
	}
	return extract(filepath.Join(dir, "axe-core-"+axeVersion+".tgz"), "package/axe.min.js")
}

func extract(archive, name string) ([]byte, error) {
	data, err := os.ReadFile(archive)
	if err != nil {
		return nil, err
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	files := tar.NewReader(unzipped)
	for {
		header, err := files.Next()
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", archive, name, err)
		}
		if header.Name == name {
			return io.ReadAll(io.LimitReader(files, 4<<20))
		}
	}
}
