// Package page makes the HTML pages that viewers see: plain documents that
// work on a phone, on a TV with a remote control, and with a screen reader.
//
// All pages share one layout. Its style and its few lines of script are inside
// the document, and the Content-Security-Policy names their hashes, so a page
// loads nothing and runs nothing else. The script moves the focus with the
// arrow keys, as the remote control of a TV sends them; without it, Tab does.
//
// A [Template] is the content of one page; its texts are escaped by
// html/template. [Problem] is the page of an error.
package page
