// Package render makes the documentation pages: plain HTML that is committed and
// served by package apidoc. `make docs` writes the pages and `make check` fails
// when they are not what their sources say.
//
// The sources are the OpenAPI documents, each of which becomes a reference with
// a curl command for every operation, and the Markdown files of httpfront/docs.
// A link between Markdown files, or to an operation of ../openapi.yaml, becomes a
// link between pages; one that leads nowhere is an error, and one that leaves
// the pages is kept as text, since nobody knows where the repository is.
//
// Of OpenAPI 3.1 it reads what our own documents use. What it does not know
// (callbacks, discriminators) it leaves out; a reference that leads nowhere is
// an error.
package render
