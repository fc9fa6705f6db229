// Package apidoc turns an OpenAPI document into one HTML page for people:
// operations by tag, with parameters, bodies, answers and examples, and the
// schemas they refer to. The page is plain HTML in the layout of package page;
// it loads nothing and needs no script.
//
// It reads the part of OpenAPI 3.1 that our own document uses. What it does not
// know (links, callbacks, discriminators) it leaves out; a reference that leads
// nowhere is an error.
package apidoc
