// Package apidoc has the documentation pages for people: guides, the reference
// of the API with a curl command for each operation, and the pages of
// httpfront/docs. Package httpfront serves them at /docs unless the
// configuration says `docs: false`, package admin always, and only admin has the
// reference of the admin API.
//
// The pages are plain HTML that package render has made and that is committed:
// a node reads no Markdown and no YAML for them. They can be read without
// scripts. Style and script are inside each page, [Policy] names their hashes,
// and nothing is loaded but the index of the search, from the same listener.
//
// httpfront/DESIGN.md#api-documentation-pages says why no ready-made renderer makes them.
package apidoc
