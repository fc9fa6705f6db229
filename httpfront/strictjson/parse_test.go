package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseRefuses(t *testing.T) {
	tests := map[string]string{
		"nothing":                 "",
		"white space":             " \n",
		"trailing data":           `{} x`,
		"two values":              `{}{}`,
		"duplicate member":        `{"a":1,"a":1}`,
		"escaped duplicate":       `{"a":1,"\u0061":2}`,
		"nested duplicate":        `[{"b":{"a":1,"c":2,"a":3}}]`,
		"late duplicate":          `{` + numbered(40) + `,"k3":0}`,
		"nine levels":             strings.Repeat("[", 9) + strings.Repeat("]", 9),
		"bottomless":              strings.Repeat("[", 60_000),
		"byte order mark":         "\xef\xbb\xbf{}",
		"broken UTF-8":            "\"\xff\"",
		"overlong UTF-8":          "\"\xc0\x80\"",
		"lone high surrogate":     `"\ud83d"`,
		"lone low surrogate":      `"\ude00"`,
		"high surrogate and text": `"\ud83dx"`,
		"two high surrogates":     `"\ud83d\ud83d"`,
		"control character":       "\"a\nb\"",
		"NUL":                     "\"a\x00b\"",
		"NUL after the value":     "{}\x00",
		"unknown escape":          `"\x41"`,
		"short escape":            `"\u12"`,
		"open string":             `"abc`,
		"open escape":             `"abc\`,
		"single quotes":           `{'a':1}`,
		"bare name":               `{a:1}`,
		"missing colon":           `{"a" 1}`,
		"missing value":           `{"a":}`,
		"trailing comma":          `{"a":1,}`,
		"trailing comma in array": `[1,]`,
		"leading zero":            `01`,
		"plus sign":               `+1`,
		"bare point":              `1.`,
		"no integer part":         `.5`,
		"empty exponent":          `1e`,
		"hexadecimal":             `0x10`,
		"not a number":            `NaN`,
		"comment":                 `{} // x`,
		"upper-case literal":      `True`,
		"cut literal":             `nul`,
		"mixed brackets":          `[1}`,
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			if v, err := Parse([]byte(text)); !errors.Is(err, ErrSyntax) {
				t.Fatalf("Parse(%.40q): got %s, %v; want ErrSyntax", text, v.Raw(), err)
			}
		})
	}
}

// numbered is a list of n members called k0, k1, ...
func numbered(n int) string {
	members := make([]string, n)
	for i := range members {
		members[i] = fmt.Sprintf(`"k%d":%d`, i, i)
	}
	return strings.Join(members, ",")
}

func TestParseAccepts(t *testing.T) {
	tests := []string{
		`null`, `true`, `false`, `0`, `-0`, `12.5e-3`, `1E+9`, `""`, `[]`, `{}`,
		" \t\r\n{ \"a\" : [ 1 , {} , [ ] ] } \n",
		`{"a":1,"A":2}`,
		`"\u00e9\n\"\\\/\b\f\r\t\ud83d\ude00"`,
		`{"a":{"a":{"a":1}}}`,
		`{` + numbered(40) + `}`,
		strings.Repeat("[", 8) + strings.Repeat("]", 8),
		"\"é😀\"",
	}
	for _, text := range tests {
		v, err := Parse([]byte(text))
		if err != nil {
			t.Errorf("Parse(%.60q): %v", text, err)
			continue
		}
		if diff := cmp.Diff(reference(t, []byte(text)), tree(v)); diff != "" {
			t.Errorf("Parse(%.60q) differs from encoding/json (-want +got):\n%s", text, diff)
		}
	}
}

// reference is what encoding/json reads.
func reference(t *testing.T, data []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("encoding/json refuses %q: %v", data, err)
	}
	return v
}

// tree reads v through its methods into the shape that encoding/json gives.
func tree(v Value) any {
	switch v.Kind() {
	case Object:
		m := map[string]any{}
		for name, member := range v.Members() {
			m[string(name)] = tree(member)
		}
		return m
	case Array:
		a := []any{}
		for e := range v.Elements() {
			a = append(a, tree(e))
		}
		return a
	case Text:
		s, _ := v.Text()
		return s
	case Number:
		return json.Number(v.Raw())
	case Bool:
		b, _ := v.Bool()
		return b
	default:
		return nil
	}
}

func TestValueIsReadAsExpectedTypeOnly(t *testing.T) {
	v, err := Parse([]byte(`{"text":"x","int":7,"frac":1.5,"big":1e400,"huge":9223372036854775808,"list":["a","b"],"mixed":["a",1],"null":null,"true":true}`))
	if err != nil {
		t.Fatal(err)
	}
	member := func(name string) Value {
		m, _ := v.Member(name)
		return m
	}
	got := map[string]any{}
	add := func(name string, value any, ok bool) { got[name] = [2]any{value, ok} }
	text, ok := member("text").Text()
	add("text", text, ok)
	_, ok = member("int").Text()
	add("int as text", nil, ok)
	n, ok := member("int").Int64()
	add("int", n, ok)
	_, ok = member("frac").Int64()
	add("frac as int", nil, ok)
	f, ok := member("frac").Float64()
	add("frac", f, ok)
	_, ok = member("big").Float64()
	add("big", nil, ok)
	_, ok = member("huge").Int64()
	add("huge", nil, ok)
	list, ok := member("list").Texts()
	add("list", list, ok)
	_, ok = member("mixed").Texts()
	add("mixed", nil, ok)
	_, ok = member("text").Texts()
	add("text as list", nil, ok)
	b, ok := member("true").Bool()
	add("true", b, ok)
	add("null", member("null").Kind(), member("null").Kind() == Null)
	add("absent", member("Text").Kind(), member("Text").Kind() == Absent)
	want := map[string]any{
		"text": [2]any{"x", true}, "int as text": [2]any{nil, false}, "int": [2]any{int64(7), true},
		"frac as int": [2]any{nil, false}, "frac": [2]any{1.5, true}, "big": [2]any{nil, false},
		"huge": [2]any{nil, false}, "list": [2]any{[]string{"a", "b"}, true}, "mixed": [2]any{nil, false},
		"text as list": [2]any{nil, false}, "true": [2]any{true, true},
		"null": [2]any{Null, true}, "absent": [2]any{Absent, true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("values (-want +got):\n%s", diff)
	}
}

// A hostile object costs time in proportion to its length, not to its square.
func TestManyMembersAreCheap(t *testing.T) {
	text := []byte(`{` + numbered(60_000) + `}`)
	before := cpuTime(t)
	if _, err := Parse(text); err != nil {
		t.Fatal(err)
	}
	if took := cpuTime(t) - before; took > 2*time.Second {
		t.Fatalf("Parse of %d bytes took %v of CPU time", len(text), took)
	}
}

// cpuTime is what this process has had of the CPUs: a busy machine adds nothing.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"devices":["a","b"]}`, `{"a":1,"\u0061":2}`, `[[[[[[[[1]]]]]]]]`, `"\ud83d\ude00"`, `-1.5e+10`, ` null `,
		`{"sub":"x","exp":1,"aud":["Adobe"]}`, "\xef\xbb\xbf{}", `{"a":{"b":[{"c":null}]}}`, `"\ud800"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := Parse(data)
		if err != nil {
			return
		}
		if got, want := tree(v), reference(t, data); !reflect.DeepEqual(got, want) {
			t.Fatalf("Parse(%q) = %#v, encoding/json reads %#v", data, got, want)
		}
	})
}

func BenchmarkParseClaims(b *testing.B) {
	claims := []byte(`{"iss":"ssoservicetoken","sub":"viewer-4711","nbf":1700000000,"exp":1700003600,"iat":1700000000,"jti":"AAAAAAAAAAAAAAAAAAAAAA","did":"AAAAAAAAAAAAAAAAAAAAAA","mbr":1700000000000}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(claims); err != nil {
			b.Fatal(err)
		}
	}
}
