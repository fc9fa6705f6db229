package linkdirectory

// due is a heap of codes by the time at which something happens to them.
type due []appointment

type appointment struct {
	at   int64 // ms
	hash [HashSize]byte
}

func (d *due) push(a appointment) {
	*d = append(*d, a)
	h := *d
	for i := len(h) - 1; i > 0; {
		parent := (i - 1) / 2
		if h[parent].at <= h[i].at {
			return
		}
		h[parent], h[i] = h[i], h[parent]
		i = parent
	}
}

// pop removes the earliest appointment if its time has come.
func (d *due) pop(now int64) (a appointment, ok bool) {
	h := *d
	if len(h) == 0 || h[0].at > now {
		return appointment{}, false
	}
	a = h[0]
	last := len(h) - 1
	h[0] = h[last]
	*d = h[:last]
	d.down(0)
	return a, true
}

func (d due) down(i int) {
	for {
		least := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(d) && d[child].at < d[least].at {
				least = child
			}
		}
		if least == i {
			return
		}
		d[i], d[least] = d[least], d[i]
		i = least
	}
}

// heapify orders appointments that were appended in any order.
func (d due) heapify() {
	for i := len(d)/2 - 1; i >= 0; i-- {
		d.down(i)
	}
}
