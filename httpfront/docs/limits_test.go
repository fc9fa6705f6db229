// Package docs has no code: it is the contract of the API, and its tests hold the pages
// against the service.
package docs

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"ssod/httpfront/config"
)

// sources are where the rows of httpfront/docs/limits.md#limits come from that are no
// settings: a package from the root, and what is set there. A row that names a key has
// the default of that key.
var sources = map[string]string{
	"Idle bucket is full again": "httpfront/throttle IdleAfter",

	"Service token, shortest advised":                                          "httpfront/config serviceTokenLife 0",
	"Service token, longest":                                                   "httpfront/config serviceTokenLife 1",
	"Chain of refreshes":                                                       "httpfront/config DefaultMaxAge",
	"Link code, shortest advised":                                              "httpfront/config linkCodeLife 0",
	"Link code, longest":                                                       "httpfront/config linkCodeLife 1",
	"Same device may repeat a redemption":                                      "actors/profile raceWindow",
	"Session is remembered after its end":                                      "actors/session remembered",
	"Expired login is still explained":                                         "actors/login explained",
	"Chain of refreshes where an identity service outside names the viewer":    "httpfront/config DefaultExternalMaxAge",
	"Member unseen before it makes room in a full profile":                     "actors/profile evictAfter",
	"Clocks may differ, where a token begins, and at the end of external ones": "httpfront/token/jose Skew",

	"Head of a request: request line and all headers": "httpfront/wire Head",
	"Request line":      "httpfront/wire maxLine",
	"Body of a request": "httpfront/wire Body",
	"Posted `SAMLResponse` or `SAMLRequest`, before Base64":   "httpfront/mvpd/saml maxDocument",
	"Bodies of those over 64 KiB that a node takes at a time": "httpfront longBodies",
	"Parameters of a form":                                  "httpfront/api/form maxParameters",
	"One token":                                             "httpfront/token/jose MaxToken",
	"Common identifier":                                     "httpfront/api/sso maxSSOID",
	"Subject of an external token":                          "httpfront/token/keys maxExternalSubject",
	"Decoded device identifier":                             "httpfront/api/headers MaxDevice",
	"Decoded X-Device-Info":                                 "httpfront/api/headers maxDeviceInfo",
	"Decoded AP-TempPass-Identity":                          "httpfront/api/headers maxTemporaryIdentity",
	"Decoded AP-Partner-Framework-Status":                   "httpfront/api/headers maxFrameworkStatus",
	"One text of a device or a header that is kept":         "httpfront/api/headers maxKept",
	"What is kept of a device for lists":                    "actors/profile MaxAttributes",
	"Logged AP-Visitor-Identifier":                          "httpfront/api/headers maxVisitor",
	"Devices in one unlink call":                            "httpfront/api/sso maxUnlink",
	"Link code, fewest characters":                          "actors/linkdirectory MinLength",
	"Link code, most characters":                            "actors/linkdirectory MaxLength",
	"Authentication code, characters":                       "httpfront/api/entitlement codeLength",
	"redirectUrl":                                           "httpfront/api/entitlement maxRedirectURL",
	"Registered redirect URI":                               "httpfront/api/registration maxURI",
	"Resources that a call may name at all":                 "httpfront/api/entitlement maxResources",
	"One resource":                                          "httpfront/api/entitlement maxResource",
	"User metadata of a login":                              "httpfront/mvpd MaxAttributes",
	"Details of a deny":                                     "httpfront/mvpd MaxDetails",
	"One used resource of a trial, by its name":             "httpfront/api/entitlement maxLabel",
	"Logins of one device or profile, each at another MVPD": "actors/login MaxLogins",

	"Logins of one viewer, or one session, at a TV provider that ends logins":  "actors/upstream Max",
	"Posted answer of a TV provider waits for its browser":                     "actors/answer TTL",
	"End of logins by a TV provider is remembered, for those that it overtook": "actors/upstream Overtaking",

	"The service takes for a request":                "httpfront requestTime",
	"A request may take to arrive":                   "httpfront/wire Request",
	"An answer may take to be read":                  "httpfront/wire Write",
	"An idle connection is kept":                     "httpfront/wire Idle",
	"A request waits for the owner of what it needs": "actors OwnerWait",

	"In how long": "actors/linkdirectory guessWindow",
	"Live codes of a network that is taken for one household": "actors/linkdirectory householdCodes",
	"Different unknown authentication codes of one address":   "httpfront/api/entitlement maxGuesses",
	"In how long these": "httpfront/api/entitlement guessWindow",
}

// notOurs are rows about what apps do.
var notOurs = map[string]bool{"Polling for a login or a link code": true}

func TestLimits(t *testing.T) {
	page, err := os.ReadFile("limits.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		if !strings.HasPrefix(line, "| ") || cells[0] == "what" {
			continue
		}
		name, key := cells[0], strings.Trim(cells[2], "`")
		seen[name] = true
		documented, err := number(cells[1])
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		source, isCode := sources[name]
		var want float64
		switch {
		case isCode:
			want, err = inCode(source)
		case notOurs[name]:
			continue
		case len(cells) == 4 && key != "":
			want, err = defaultOf(key)
		default:
			err = fmt.Errorf("the test does not know where it comes from")
		}
		if err != nil || documented != want {
			t.Errorf("%s: the page says %s, the service %v (%v)", name, cells[1], want, err)
		}
	}
	for name := range sources {
		if !seen[name] {
			t.Errorf("%s is not on the page", name)
		}
	}
}

// units are in seconds, or in bytes.
var units = map[string]float64{
	"": 1, "s": 1, "min": 60, "h": 3600, "d": 24 * 3600, "bytes": 1, "KiB": 1 << 10,
}

func number(cell string) (float64, error) {
	value, unit, _ := strings.Cut(cell, " ")
	n, err := strconv.ParseFloat(value, 64)
	if _, ok := units[unit]; !ok || err != nil {
		return 0, fmt.Errorf("%q is no number with a unit", cell)
	}
	return n * units[unit], nil
}

// defaultOf is the default of a key of the configuration; of a realm where the file has
// none of that name at its top.
func defaultOf(key string) (float64, error) {
	for _, top := range []reflect.Type{reflect.TypeFor[config.Config](), reflect.TypeFor[config.Realm]()} {
		if field, ok := fieldAt(top, strings.Split(key, ".")); ok {
			return parseDefault(field.Tag.Get("default"))
		}
	}
	return 0, fmt.Errorf("there is no key %s", key)
}

func fieldAt(t reflect.Type, names []string) (field reflect.StructField, ok bool) {
	for _, name := range names {
		for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return field, false
		}
		if field, ok = t.FieldByNameFunc(func(f string) bool {
			named, _ := t.FieldByName(f)
			return named.Tag.Get("yaml") == name
		}); !ok {
			return field, false
		}
		t = field.Type
	}
	return field, true
}

func parseDefault(text string) (float64, error) {
	if d, err := time.ParseDuration(text); err == nil {
		return d.Seconds(), nil
	}
	return strconv.ParseFloat(text, 64)
}

var generated = regexp.MustCompile(`(_test|\.pb)\.go$`)

// inCode evaluates what a package sets: a constant, a variable or a field of a literal,
// or one of the fields of a literal by its place.
func inCode(source string) (float64, error) {
	dir, name, _ := strings.Cut(source, " ")
	name, place, _ := strings.Cut(name, " ")
	files, err := filepath.Glob(filepath.Join("../..", filepath.FromSlash(dir), "*.go"))
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("there is no package %s (%v)", dir, err)
	}
	var found []ast.Expr
	for _, file := range files {
		if generated.MatchString(file) {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return 0, err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			found = append(found, valueOf(n, name)...)
			return true
		})
	}
	if len(found) != 1 {
		return 0, fmt.Errorf("%s is set %d times in %s", name, len(found), dir)
	}
	if literal, ok := found[0].(*ast.CompositeLit); ok {
		i, err := strconv.Atoi(place)
		if err != nil || i >= len(literal.Elts) {
			return 0, fmt.Errorf("%s has no field %s", name, place)
		}
		found[0] = literal.Elts[i]
	}
	return evaluate(found[0])
}

// valueOf is what a node gives to a name.
func valueOf(n ast.Node, name string) []ast.Expr {
	switch n := n.(type) {
	case *ast.ValueSpec:
		for i, id := range n.Names {
			if id.Name == name && i < len(n.Values) {
				return n.Values[i : i+1]
			}
		}
	case *ast.KeyValueExpr:
		if id, ok := n.Key.(*ast.Ident); ok && id.Name == name {
			return []ast.Expr{n.Value}
		}
	}
	return nil
}

// evaluate computes numbers, times of package time in seconds, and the last argument of
// a call, which is the default of cmp.Or.
func evaluate(e ast.Expr) (float64, error) {
	switch e := e.(type) {
	case *ast.BasicLit:
		return strconv.ParseFloat(strings.ReplaceAll(e.Value, "_", ""), 64)
	case *ast.ParenExpr:
		return evaluate(e.X)
	case *ast.CallExpr:
		return evaluate(e.Args[len(e.Args)-1])
	case *ast.SelectorExpr:
		if unit, ok := map[string]time.Duration{"Second": time.Second, "Minute": time.Minute, "Hour": time.Hour}[e.Sel.Name]; ok {
			return unit.Seconds(), nil
		}
	case *ast.BinaryExpr:
		x, errX := evaluate(e.X)
		y, errY := evaluate(e.Y)
		switch {
		case errX != nil || errY != nil:
			return 0, fmt.Errorf("%w, %w", errX, errY)
		case e.Op == token.MUL:
			return x * y, nil
		case e.Op == token.SHL:
			return float64(int64(x) << int64(y)), nil
		}
	}
	return 0, fmt.Errorf("%T is no number", e)
}
