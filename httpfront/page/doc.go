// Package page makes the HTML pages that viewers see: plain documents that
// work on a phone, on a TV with a remote control, and with a screen reader.
//
// All pages share one layout, light or dark as the viewer prefers. Its style and its few
// lines of script are inside the document, and the Content-Security-Policy names their
// hashes, so a page runs nothing else; it loads nothing but the pictures of a [Brand] and of
// its content, from the hosts that the configuration names. The script moves the focus with
// the arrow keys, as the remote control of a TV sends them; without it, Tab does, and all
// else works.
//
// A [Template] is the content of one page; its texts are escaped by
// html/template. [Problem] is the page of an error. Package texts has what pages say.
package page
