// Package ambiguous holds HTTP requests that some server reads in one way and
// some in another: the means of request smuggling. Tests send them to the front
// end, directly and through proxies.
package ambiguous
