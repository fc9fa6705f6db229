package examples

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
)

var variable = regexp.MustCompile(`\{\{(\w+)\}\}`)

// Expand returns r with every {{name}} replaced by what value says. The values
// are put where they stand, so they must not need escapes in JSON.
func Expand(r Request, value func(name string) (string, error)) (Request, error) {
	raw, err := json.Marshal(r)
	if err != nil {
		return Request{}, err
	}
	var errs []error
	expanded := variable.ReplaceAllFunc(raw, func(match []byte) []byte {
		v, err := value(string(variable.FindSubmatch(match)[1]))
		errs = append(errs, err)
		return []byte(v)
	})
	if err := errors.Join(errs...); err != nil {
		return Request{}, fmt.Errorf("expand %s %s: %w", r.Method, r.Path, err)
	}
	var out Request
	return out, json.Unmarshal(expanded, &out)
}
