// Package strictjson reads JSON from strangers.
//
// encoding/json is generous: it takes the last of two members with one name,
// matches names without regard to case, and repairs broken UTF-8. Where a
// second parser (a proxy, another node, a client) might read the same bytes
// differently, that generosity is a hole. [Parse] accepts exactly one JSON
// value of RFC 8259 and refuses, with [ErrSyntax]:
//
//   - two members of one object with the same name, also when one is escaped
//   - more than [MaxDepth] objects and arrays inside one another
//   - bytes that are not UTF-8, a byte order mark, a lone surrogate
//   - anything but white space after the value
//
// The [Value] that it returns points into the input and is read without
// copying: names are compared exactly, and a value is asked for as the type
// that the caller expects.
//
//	v, err := strictjson.Parse(body)
//	for name, member := range v.Members() {
//		switch string(name) {
//		case "devices":
//			ids, ok := member.Texts()
package strictjson
