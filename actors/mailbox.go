package actors

import (
	"runtime"
	"sync"
)

// mailbox holds the messages of one entity and lets one goroutine at a time run it.
// Unlike protoactor's own it can be acquired: the caller of an idle entity runs the
// entity itself, instead of waking a goroutine and being woken by it. An idle mailbox is
// small, because very many entities are active at once.
type mailbox struct {
	owner recipient

	mu       sync.Mutex
	running  bool // a goroutine runs the entity or is about to
	messages []any
}

// recipient is the owner of a mailbox.
type recipient interface {
	// receive handles one message at a time.
	receive(message any)
	// panicked is called when receive panicked.
	panicked(message, cause any)
	// schedule has a worker call a function.
	schedule(run func())
}

// mailboxThroughput is how many messages an entity handles before its worker yields.
const mailboxThroughput = 300

// post adds a message, which a worker handles.
func (m *mailbox) post(message any) {
	m.mu.Lock()
	m.messages = append(m.messages, message)
	m.unlockAndSchedule()
}

// unlockAndSchedule has a worker run the entity if messages wait and no goroutine runs it.
func (m *mailbox) unlockAndSchedule() {
	start := len(m.messages) > 0 && !m.running
	m.running = m.running || start
	m.mu.Unlock()
	if start {
		m.owner.schedule(m.run)
	}
}

// run handles messages until none is left.
func (m *mailbox) run() {
	for handled := 1; ; handled++ {
		message := m.next()
		if message == nil {
			return
		}
		m.handle(message)
		if handled%mailboxThroughput == 0 {
			runtime.Gosched()
		}
	}
}

// next takes the next message; without one the entity is idle.
func (m *mailbox) next() any {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.messages) > 0 {
		return pop(&m.messages)
	}
	m.running = false
	return nil
}

// acquire lets the caller run the entity if that is idle. The caller must release it.
func (m *mailbox) acquire() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.running {
		return false
	}
	m.running = true
	return true
}

// release gives the entity back; a worker handles what came meanwhile.
func (m *mailbox) release() {
	m.mu.Lock()
	m.running = false
	m.unlockAndSchedule()
}

// handle runs the entity, which the caller has acquired, for a message.
func (m *mailbox) handle(message any) {
	defer func() {
		if cause := recover(); cause != nil {
			m.owner.panicked(message, cause)
		}
	}()
	m.owner.receive(message)
}

// pop removes the first message. A queue that is empty keeps no memory.
func pop(queue *[]any) any {
	q := *queue
	first := q[0]
	q[0] = nil
	if *queue = q[1:]; len(*queue) == 0 {
		*queue = nil
	}
	return first
}
