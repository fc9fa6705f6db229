package apidoc

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"

	"ssod/httpfront/api"
	"ssod/httpfront/page"
)

// Prefix is where the pages are.
const Prefix = "/docs"

// cacheControl lets caches have the pages for a while: they change with the
// program only.
const cacheControl = "public, max-age=300"

var (
	//go:embed site.css
	Style string // of every page
	//go:embed site.js
	Script string // of every page

	//go:embed public admin
	files embed.FS
)

// Policy is the Content-Security-Policy of the pages.
var Policy = fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	hash(Style), hash(Script))

// hash is how a policy names an element (CSP 3, 2.3.1).
func hash(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// File is a page, or an index of the search.
type File struct {
	Body        []byte
	contentType string
	etag        string // a weak one, since it is the same for the compressed body
	policy      string // empty for what is no page
	compressed  func() []byte
}

// Answer is the answer to a GET with these headers, which may be nil.
func (f *File) Answer(acceptEncoding, ifNoneMatch []byte) api.Response {
	r := api.Response{
		Status: http.StatusOK, ContentType: f.contentType, CacheControl: cacheControl, Body: f.Body,
		Fields: []api.Field{{Name: "ETag", Value: f.etag}, {Name: "Vary", Value: "Accept-Encoding"}},
	}
	if f.policy != "" {
		r.Fields = append(r.Fields, api.Field{Name: "Content-Security-Policy", Value: f.policy})
	}
	switch {
	case bytes.Contains(ifNoneMatch, []byte(f.etag)):
		r.Status, r.Body = http.StatusNotModified, nil
	case api.AcceptsGzip(acceptEncoding):
		r.Body = f.compressed()
		r.Fields = append(r.Fields, api.Field{Name: "Content-Encoding", Value: "gzip"})
	}
	return r
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(body)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // a buffer takes everything, and the level is a known one
	}
	return b.Bytes()
}

var (
	public = list("public")
	admin  = list("admin")
)

// Public returns what both listeners serve under a name below [Prefix], which is
// empty for the first page; nil when there is no such page.
func Public(name string) *File { return public.file(name) }

// Admin returns what the admin listener serves under a name.
func Admin(name string) *File {
	if f := admin.file(name); f != nil {
		return f
	}
	return public.file(name)
}

// shelf has files by the name under which they are served. Each is read when it
// is asked for the first time.
type shelf map[string]func() *File

func (s shelf) file(name string) *File {
	if open := s[name]; open != nil {
		return open()
	}
	return nil
}

func list(directory string) shelf {
	entries, err := fs.ReadDir(files, directory)
	if err != nil {
		panic(err) // it is part of the program
	}
	s := make(shelf, len(entries))
	for _, e := range entries {
		s[served(e.Name())] = sync.OnceValue(func() *File { return open(directory, e.Name()) })
	}
	return s
}

// served is the name of a file in its address.
func served(file string) string {
	name := strings.TrimSuffix(file, ".html")
	if name == "index" {
		return ""
	}
	return name
}

func open(directory, name string) *File {
	body, err := files.ReadFile(path.Join(directory, name))
	if err != nil {
		panic(err) // it is part of the program
	}
	sum := sha256.Sum256(body)
	f := &File{
		Body: body, contentType: page.ContentType, policy: Policy, etag: `W/"` + hex.EncodeToString(sum[:8]) + `"`,
		compressed: sync.OnceValue(func() []byte { return compress(body) }),
	}
	if path.Ext(name) == ".json" {
		f.contentType, f.policy = "application/json", ""
	}
	return f
}
