package linkdirectory

import "math"

// class is a length and an alphabet of codes.
type class uint8

// classes is how many there are, with those of lengths that no code has.
const classes = 2 * (MaxLength + 1)

func classOf(length int, alphanumeric bool) class {
	if alphanumeric {
		return class(length + MaxLength + 1)
	}
	return class(length)
}

func (c class) length() int        { return int(c) % (MaxLength + 1) }
func (c class) alphanumeric() bool { return c > MaxLength }

func (c class) alphabet() Alphabet {
	if c.alphanumeric() {
		return Alphanumeric
	}
	return Digits
}

// other is the class of the same length in the other alphabet.
func (c class) other() class { return classOf(c.length(), !c.alphanumeric()) }

// spaces is how many texts a class has.
var spaces = func() (s [classes]float64) {
	for c := range class(classes) {
		s[c] = math.Pow(float64(len(c.alphabet())), float64(c.length()))
	}
	return s
}()

// chance is the odds that a look-up which is not near a live code hits one of live codes
// of its class: what it adds when it misses. See doc.go.
func (d *directory) chance(c class, live int) hits {
	if live <= 0 {
		return 0
	}
	rest := spaces[c] - d.near(c) - float64(d.held[c]) - float64(d.meter.tries(c))
	if rest <= float64(live) {
		return oneHit
	}
	return hits(math.Ceil(float64(live) * float64(oneHit) / rest))
}

// chanceOf is that of a look-up: a text of digits may be a code of both alphabets.
func (d *directory) chanceOf(texts []class) (sum hits) {
	for _, c := range texts {
		sum += d.chance(c, d.byClass[c])
	}
	return min(sum, oneHit)
}

// appendClasses appends those that the text can be a code of; none if it is
// malformed.
func (m *Resolve) appendClasses(to []class) []class {
	length := int(m.GetLength())
	if length < MinLength || length > MaxLength {
		return to
	}
	if m.GetDigits() {
		to = append(to, classOf(length, false))
	}
	if m.GetAlphanumeric() {
		to = append(to, classOf(length, true))
	}
	return to
}

// doubt counts as tried what the last owner of the directory may have looked up with the
// room that it had.
func (d *directory) doubt(room hits) {
	for c := range class(classes) {
		if chance := d.chance(c, d.byClass[c]); chance > 0 {
			d.meter.running().tried[c] += int64(room / chance)
		}
	}
}

// near is how many texts of the class are one position from a live code, or have
// the digest of a pattern of one. A text near two codes is counted twice.
func (d *directory) near(c class) float64 {
	n, letters := float64(c.length()), float64(len(c.alphabet()))
	near := n * ((letters-1)*float64(d.byClass[c]) + letters*float64(d.byClass[c.other()]))
	return near + spaces[c]*n*float64(d.taken.size)/(1<<32)
}

// allowance is how many codes of a class may be live. It falls when many look-ups fail,
// so that they do not add up to what the realm accepts, but not below a density at which
// look-ups are never refused: guessers cannot keep a realm from giving out codes.
func (d *directory) allowance(c class) int {
	m := &d.meter
	failures := max(m.failures, calmFailures)
	adaptive := float64(max(m.limit-m.level, 0)) * spaces[c] / (2 * float64(oneHit) * failures)
	never := spaces[c] * rare.float()
	return int(min(max(adaptive, never), spaces[c]/sparse))
}
