package examples

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// word compares a value with an expected string, which may be a matcher or have
// variables in it.
func (m *matching) word(path, want string, got any) {
	want = variable.ReplaceAllStringFunc(want, func(match string) string {
		if value, ok := m.vars[variable.FindStringSubmatch(match)[1]]; ok {
			return value
		}
		return match
	})
	name, argument, isMatcher := matcher(want)
	if !isMatcher {
		if got != want {
			m.differ(path, "got %s, want %s", text(got), want)
		}
		return
	}
	if err := m.apply(name, argument, got); err != nil {
		m.differ(path, "got %s, want %s: %v", text(got), want, err)
	}
}

// matcher splits <name:argument>.
func matcher(word string) (name, argument string, ok bool) {
	inner, open := strings.CutPrefix(word, "<")
	inner, closed := strings.CutSuffix(inner, ">")
	if !open || !closed {
		return "", "", false
	}
	name, argument, _ = strings.Cut(inner, ":")
	return name, argument, true
}

var (
	uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	jws  = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`)
)

// The epochs that a matcher takes for a time of ours: after September 2001 and
// before November 2286, when their digits change in number.
const (
	epochSecFrom, epochSecTo = 1e9, 1e10
	epochMsFrom, epochMsTo   = 1e12, 1e13
)

// apply reports why got does not satisfy a matcher.
func (m *matching) apply(name, argument string, got any) error {
	switch name {
	case "any":
		return nil
	case "object":
		return holds(isA[map[string]any](got))
	case "array":
		return holds(isA[[]any](got))
	case "int":
		return integer(got, -1<<53, 1<<53)
	case "epochSec":
		return integer(got, epochSecFrom, epochSecTo)
	case "epochMs":
		return integer(got, epochMsFrom, epochMsTo)
	case "equals":
		other, ok := lookup(m.root, strings.TrimPrefix(argument, "$."))
		return holds(ok && text(other) == text(got))
	case "equalsVar":
		value, ok := m.vars[argument]
		return holds(ok && value == text(got))
	case "atLeastVar":
		from, err := strconv.ParseFloat(m.vars[argument], 64)
		if err != nil {
			return fmt.Errorf("%s is not a number", argument)
		}
		return integer(got, from, math.Inf(1))
	case "equalsExpr":
		return m.equalsExpr(argument, got)
	}
	s, ok := got.(string)
	if !ok {
		return fmt.Errorf("not a string")
	}
	return textual(name, argument, s)
}

// textual are the matchers of strings.
func textual(name, argument, got string) error {
	switch name {
	case "string":
		return holds(got != "")
	case "uuid":
		return holds(uuid.MatchString(got))
	case "jws":
		return holds(jws.MatchString(got))
	case "url":
		u, err := url.Parse(got)
		return holds(err == nil && u.IsAbs() && u.Host != "")
	case "epochMsString":
		return integer(json.Number(got), epochMsFrom, epochMsTo)
	case "regex":
		ok, err := regexp.MatchString(argument, got)
		return firstOf(err, holds(ok))
	case "startsWith", "base64Prefix":
		return holds(strings.HasPrefix(got, argument))
	case "contains":
		return holds(strings.Contains(got, argument))
	case "setEquals":
		return holds(slices.Equal(set(got), set(argument)))
	case "oneOf":
		return holds(slices.Contains(strings.Split(argument, ","), got))
	}
	return fmt.Errorf("unknown matcher")
}

func holds(ok bool) error {
	if ok {
		return nil
	}
	return fmt.Errorf("it is not")
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func isA[T any](v any) bool {
	_, ok := v.(T)
	return ok
}

// integer wants a whole JSON number in [from, to).
func integer(v any, from, to float64) error {
	number, ok := v.(json.Number)
	if !ok {
		return fmt.Errorf("not a number")
	}
	n, err := number.Int64()
	if err != nil {
		return err
	}
	return holds(float64(n) >= from && float64(n) < to)
}

// set is a comma list in a fixed order.
func set(list string) []string {
	all := strings.Split(list, ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	slices.Sort(all)
	return all
}

// claims decodes the header and the payload of a token without verifying it.
func claims(token string) (header, payload any, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, nil, fmt.Errorf("not a token of three parts")
	}
	decoded := make([]any, 2)
	for i := range decoded {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			return nil, nil, err
		}
		if decoded[i], err = decode(raw); err != nil {
			return nil, nil, err
		}
	}
	return decoded[0], decoded[1], nil
}
