// Package login is what the entities that keep a viewer's login at an MVPD have
// in common.
//
// A login is made once, in a session, and then kept in copies: one is the
// regular profile of the device, others let the devices of a single sign-on
// identity find it. Each copy has the login's id, and each knows others:
//
//	session --Keep--> device --Share--> profile     a login is made
//	device  --End---> profile                       it ends on the device
//	profile --End---> device --End----> profile     it ends under the identity
//
// A copy that ends tells the others; one that has ended already does nothing, so the
// news stops by itself. All of these are intents (package intent), so they happen even if
// nodes crash in between. An intent may arrive late: an entity remembers an ended login
// for a day and refuses copies of it. A device that logs in again says which logins that
// replaces, because their copies may still be under way, or be sent again.
//
// A login that the MVPD invalidated stays, marked, until the next login, and an expired
// one for a while: the client learns why it has to log in again.
package login
