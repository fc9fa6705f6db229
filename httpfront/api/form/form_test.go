package form_test

import (
	"fmt"
	"strings"
	"testing"

	"ssod/httpfront/api/form"
)

func TestParse(t *testing.T) {
	many := make([]string, 33)
	for i := range many {
		many[i] = fmt.Sprint("p", i, "=1")
	}
	tests := []struct {
		text string
		want string // "refused", or the parameters
	}{
		{"", "map[]"},
		{"a=1&b=%20x+y", "map[a:1 b: x y]"},
		{"a&b=", "map[a: b:]"},
		{"&a=1&", "map[a:1]"},
		{"a=1=2", "map[a:1=2]"},
		{"a=1&a=2", "refused"},
		{"a=1&%61=2", "refused"},
		{"a=%zz", "refused"},
		{"%zz=1", "refused"},
		{"a=%ff", "refused"},
		{strings.Join(many, "&"), "refused"},
	}
	for _, tt := range tests {
		parsed, ok := form.Parse(tt.text)
		got := fmt.Sprint(parsed)
		if !ok {
			got = "refused"
		}
		if got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.text, got, tt.want)
		}
	}
}
