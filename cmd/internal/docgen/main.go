// Docgen writes the documentation pages that package apidoc serves, from the
// OpenAPI documents and the Markdown of httpfront/docs. It runs in the root of
// the repository.
//
// With -check it writes nothing and fails when a page is not what it would
// write, or is one that it would not write.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"ssod/httpfront/api/apidoc/render"
)

// target is where the pages are.
const target = "httpfront/api/apidoc"

func main() {
	check := flag.Bool("check", false, "compare and write nothing")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}

func run(check bool) error {
	s, err := sources()
	if err != nil {
		return err
	}
	public, admin, err := render.Site(s)
	if err != nil {
		return err
	}
	keep := write
	if check {
		keep = compare
	}
	return errors.Join(keep(filepath.Join(target, "public"), public), keep(filepath.Join(target, "admin"), admin))
}

func sources() (s render.Sources, err error) {
	if s.Public, err = os.ReadFile(render.PublicFile); err != nil {
		return s, err
	}
	if s.Admin, err = os.ReadFile(render.AdminFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	files, err := filepath.Glob(filepath.Join(render.Directory, "*.md"))
	if err != nil {
		return s, err
	}
	s.Markdown = map[string][]byte{}
	for _, file := range files {
		if s.Markdown[filepath.Base(file)], err = os.ReadFile(file); err != nil {
			return s, err
		}
	}
	return s, nil
}

// write makes a directory have these files and no others.
func write(directory string, files render.Files) error {
	stale, err := others(directory, files)
	if err != nil {
		return err
	}
	for _, file := range stale {
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(directory, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// compare fails unless a directory has these files and no others.
func compare(directory string, files render.Files) error {
	stale, err := others(directory, files)
	if err != nil {
		return err
	}
	for name, content := range files {
		file := filepath.Join(directory, name)
		if old, err := os.ReadFile(file); err != nil || !bytes.Equal(old, content) {
			stale = append(stale, file)
		}
	}
	if len(stale) > 0 {
		return fmt.Errorf("%s: not what the sources say; run make docs", strings.Join(stale, ", "))
	}
	return nil
}

// others are the files of a directory that are not among files.
func others(directory string, files render.Files) (list []string, err error) {
	entries, err := os.ReadDir(directory)
	for _, e := range entries {
		if _, ok := files[e.Name()]; !ok {
			list = append(list, filepath.Join(directory, e.Name()))
		}
	}
	return list, err
}
