// Package keyurl keeps the keys of others fresh that they publish at a URL: those
// of external identity services and of device platforms.
//
// A [Source] fetches at once, then every ten minutes, and sooner after a failure.
// A token that names a key that is not known may ask for another fetch, but not
// every such token, and nobody waits for it longer than a second. While the URL
// is down, or what it gives cannot be read, the last keys stay good.
package keyurl
