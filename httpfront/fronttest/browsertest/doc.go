// Package browsertest plays pages in a real browser: a headless Chromium that
// is driven over the DevTools protocol, with the keys of a remote control
// rather than a mouse, and judged by axe-core.
//
// A test that needs it is skipped, with a line that says so, where there is no
// Chromium. axe-core (MPL-2.0) is no part of this repository: it is the file
// that SSOD_AXE names, or else fetched once with npm, checked against its
// known digest and kept in the user's cache directory.
//
// With SSOD_SCREENSHOTS=dir, pictures of the pages are left in that directory,
// for people to look at.
package browsertest
