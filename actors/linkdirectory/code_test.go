package linkdirectory

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ssod/cluster"
)

var testKey = []byte("a realm's link code key, 32 byte")

func TestNormalise(t *testing.T) {
	tests := []struct {
		typed, want string
		wellFormed  bool
	}{
		{"228128", "228128", true},
		{" 228 128 ", "228128", true},
		{"228-128", "228128", true},
		{"ab2-cd3", "AB2CD3", true},
		{"0042", "0042", true},
		{"123", "123", false},
		{"12345678901", "12345678901", false},
		{"22812\u0668", "228128", true},
		{"\uff12\uff12\uff18\u2011128.", "228128", true},
		{"22812\u00e9", "22812\u00c9", false},
		{"", "", false},
		{"  -- ", "", false},
	}
	for _, tt := range tests {
		got, wellFormed := Normalise(tt.typed)
		if got != tt.want || wellFormed != tt.wellFormed {
			t.Errorf("Normalise(%q): got %q, %v, want %q, %v", tt.typed, got, wellFormed, tt.want, tt.wellFormed)
		}
	}
}

func TestCodesOfBothAlphabets(t *testing.T) {
	for _, alphabet := range []Alphabet{Digits, Alphanumeric} {
		counts := map[rune]int{}
		const codes, length = 4000, 10
		for i := range codes {
			request := cluster.RequestID{byte(i), byte(i >> 8)}
			code := codeOf(testKey, request, 0, length, alphabet)
			if len(code) != length {
				t.Fatalf("code of %d characters", len(code))
			}
			if again := codeOf(testKey, request, 0, length, alphabet); again != code {
				t.Fatal("the same attempt gave another code")
			}
			if next := codeOf(testKey, request, 1, length, alphabet); next == code {
				t.Fatal("another attempt gave the same code")
			}
			for _, c := range code {
				counts[c]++
			}
		}
		for _, c := range alphabet {
			mean := codes * length / len(alphabet)
			if n := counts[c]; n < mean*8/10 || n > mean*12/10 {
				t.Errorf("%q occurs %d times, want about %d", c, n, mean)
			}
			delete(counts, c)
		}
		if len(counts) != 0 {
			t.Errorf("characters outside the alphabet: %v", counts)
		}
	}
}

func TestAlphabetsLeaveOutWhatLooksAlike(t *testing.T) {
	if len(Alphanumeric) != 31 || strings.ContainsAny(string(Alphanumeric), "01ILO") {
		t.Errorf("alphanumeric is %q", Alphanumeric)
	}
	if AlphabetNamed("alphanumeric") != Alphanumeric || AlphabetNamed("digits") != Digits || AlphabetNamed("") != Digits {
		t.Error("names of alphabets")
	}
}

func TestHashIsKeyed(t *testing.T) {
	a, b := hashOf(testKey, "228128"), hashOf([]byte("another key"), "228128")
	if len(a) != HashSize || string(a) == string(b) {
		t.Errorf("hashes under two keys: %x and %x", a, b)
	}
}

// Two codes share a pattern exactly when they differ in fewer than two
// positions.
func TestPatterns(t *testing.T) {
	s := newSpacer(newDeriver(testKey))
	rapid.Check(t, func(t *rapid.T) {
		length := rapid.IntRange(MinLength, MaxLength).Draw(t, "length")
		code := rapid.StringOfN(rapid.RuneFrom([]rune(string(Digits))), length, length, -1)
		a := code.Draw(t, "a")
		b := []byte(a)
		for _, at := range rapid.SliceOfN(rapid.IntRange(0, length-1), 0, 3).Draw(t, "changed") {
			b[at] = byte(rapid.RuneFrom([]rune(string(Digits))).Draw(t, "to"))
		}
		distance := 0
		for i := range length {
			if a[i] != b[i] {
				distance++
			}
		}
		if got, want := share(s.of(a), s.of(string(b)), length), distance < 2; got != want {
			t.Fatalf("%s and %s at distance %d share a pattern: got %v, want %v", a, b, distance, got, want)
		}
	})
}

func TestPatternsOfDifferentLengthsDiffer(t *testing.T) {
	s := newSpacer(newDeriver(testKey))
	if share(s.of("12345"), s.of("123456"), 5) {
		t.Error("codes of different lengths share a pattern")
	}
}

func share(a, b patterns, length int) bool {
	for _, p := range a[:length] {
		for _, q := range b[:length] {
			if p == q {
				return true
			}
		}
	}
	return false
}

// codeOf is the code of one attempt of a request under a realm's key.
func codeOf(key []byte, request cluster.RequestID, attempt, length int, alphabet Alphabet) string {
	return newDeriver(key).code(request, attempt, length, alphabet)
}

// hashOf is a code's hash under a realm's key.
func hashOf(key []byte, normalised string) []byte {
	h := newDeriver(key).hash(normalised)
	return h[:]
}
