// Package temppass is what is said of temporary access outside of its entities (package
// actors/trial): how apps name who wants to watch, and how that is kept;
// httpfront/docs/entitlement.md#temporary-access.
//
// An MVPD of kind temppass is no provider: nobody logs in at it, and nobody is asked for
// decisions. [Connector] is there so that it is found like the others.
package temppass
