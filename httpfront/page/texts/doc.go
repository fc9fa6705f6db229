// Package texts has what viewers read on the pages of the service, in the languages of its
// files: en, de, es and fr. [For] finds those of a browser.
//
// The files are one to one: a test compares their keys and what stands in braces. Texts say
// no number and no time, so they need no plural and no clock. A language is added by adding
// its file and its name here.
package texts
