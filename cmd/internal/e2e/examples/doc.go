// Package examples reads the conformance cases of the API and judges answers
// by them.
//
// A file is an array of cases. Each names what must be true before (given, in
// words), one request, and what is expected of the answer:
//
//	{"id": "list-03", "class": "core", "title": "...", "given": ["...", "..."],
//	 "request": {"method": "GET", "path": "...", "headers": {...},
//	             "query": {...}, "json": ..., "form": {...}, "raw": "..."},
//	 "expect":  {"status": 200, "headers": {...}, "body": {...}},
//	 "capture": {"token_a": "$.serviceToken"}}
//
// {{name}} in a request or an expectation is a variable: [Expand] fills it in.
//
// Expected objects match as subsets, arrays in order and length. The key
// $exactKeys lists the only keys that an object may have, $hasKeys keys that it
// must have, $jwt decodes the token in a field and matches its header and
// payload, $check is a chain of comparisons over fields, such as
// "300000 <= notAfter-notBefore <= 1800000".
//
// A string in angle brackets is a matcher: <string> <int> <object> <array>
// <any> <absent> <uuid> <url> <jws> <epochSec> <epochMs> <epochMsString>
// <regex:..> <startsWith:..> <contains:..> <setEquals:a, b> <oneOf:a,b>
// <base64Prefix:..> <equals:$.x> (another field of the body) <equalsVar:x>
// <atLeastVar:x> <equalsExpr:..> (arithmetic over fields; jwt.* are the claims of the token in
// serviceToken). An unknown matcher is an error, never a match.
package examples
