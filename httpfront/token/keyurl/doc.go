// Package keyurl keeps the keys of others fresh that they publish at a URL: those
// of external identity services and of device platforms.
//
// A [Source] fetches at once, then every ten minutes, and sooner after a failure. A token
// with an unknown key may cause another fetch, but not every such token, and no request
// waits for it longer than a second. While the URL is down, or its answer cannot be read,
// the last keys stay valid.
package keyurl
