// Package client calls the public API of an ssod: it registers an application
// instance, proves who its viewer is, links devices by a code, and asks whether the
// viewer may watch. It needs the standard library only.
//
// # The parts
//
// A [Client] is one registered application instance at one service provider. It has
// the access token, which it fetches and renews by itself. A [Device] is one device
// on whose behalf it calls. It has the service token, which says whose device it
// is: it is got by [Device.Mint] (the viewer is signed in to the app) or
// [Device.Redeem] (the viewer types the link code that another device shows), goes
// with every call from then on, and is renewed before it expires. Both are safe for
// concurrent use; of many calls that need a new token one fetches it.
//
//	app, err := client.New(client.Options{
//		BaseURL: "https://sso.example.com", ServiceProvider: "acme-tv", Credentials: stored,
//	})
//	phone := app.Device(client.DeviceOptions{ID: installationID})
//	_, err = phone.Mint(ctx, viewerID)
//	code, err := phone.Link(ctx) // the viewer types code.Code on the TV
//
// [Client.Register] makes the credentials, once per installation: keep them, the
// viewer's logins are bound to them. Of a Device keep [Device.Token] over restarts
// and give it back with [Device.Restore].
//
// # A login
//
// [Device.CreateSession] begins a login at a TV provider (an MVPD) and says what is
// next. [ActionAuthenticate]: open [Session.URL] in a browser and wait with
// [Device.AwaitProfile]. [ActionAuthorize]: there is a login already. Then
// [Device.Authorize] permits or denies each resource. A permit has a media token,
// for the backend that delivers the video: package verifier, below
// httpfront/token/media, checks it there.
//
// # Errors
//
// An answer other than 2xx is an [*Error], with the machine code and the trace id,
// by which the service's log has more. Treat codes that you do not know by
// [Error.Action]. A call without an answer is an [*UnansweredError]. After some
// errors it is not known whether the call took effect: [Unknown] says so. No error
// has a token, a code or a secret in its text.
//
// # Retries
//
// A call is made up to three times ([Options.Attempts]), with growing pauses or the
// longer one that the service asks for (Retry-After), up to [Options.MaxWait]:
//
//   - after 408 and 429, and after a 503 that says that nothing was done: always;
//   - after a broken connection, a timeout, or another 503, 502 or 504, when the
//     outcome is unknown: only calls that have the same effect and the same answer
//     when they are made twice. [Client.Register], [Device.Unlink] and
//     [Device.Logout] are not repeated then: look at what there is, and decide.
//
// The API has no idempotency key: a redemption is one because the same device may
// repeat it for 60 s. An access token that has expired is fetched again, once. All
// else is the caller's to decide; see httpfront/docs/errors.md#retries.
//
// # Waiting
//
// [Device.AwaitProfile] and [Device.AwaitLink] ask every five seconds
// ([Options.Interval]; the service wants no less), [Device.AwaitRedeem] as often as it
// is told (Retry-After). All of them ask less often when they are told to slow down
// (429; RFC 8628, 3.5), and end with the context.
package client
