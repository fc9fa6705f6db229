// Package logout is the entity behind a logout agent URL: a browser's one-time way from
// an app to the logout page of an MVPD, and back to the app.
//
// The login itself is gone when the app gets the URL (package actors/device); what is
// left to do is at the MVPD, in the viewer's browser. A logout holds what the MVPD must
// be told, under an id that cannot be guessed, until it is used or half an hour has
// passed.
//
// Other packages use [Client].
package logout
