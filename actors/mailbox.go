package actors

import (
	"runtime"
	"sync"
)

// mailbox holds the messages of one entity and lets one goroutine at a time run
// it. Unlike protoactor's own it can be claimed: who asks an entity that does
// nothing runs it himself, instead of waking a goroutine and being woken by it.
// An idle one is small, because very many entities are active at once.
type mailbox struct {
	owner recipient

	mu       sync.Mutex
	running  bool // somebody runs the entity or is about to
	messages []any
}

// recipient is whose mailbox it is.
type recipient interface {
	// receive handles one message at a time.
	receive(message any)
	// panicked hears that it did not end.
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

// unlockAndSchedule has a worker run the entity if there is something to do and
// nobody is at it.
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

// next takes the next message; without one the entity rests.
func (m *mailbox) next() any {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.messages) > 0 {
		return pop(&m.messages)
	}
	m.running = false
	return nil
}

// claim makes the caller the one who runs the entity, if it does nothing and
// nothing waits. The caller must release it.
func (m *mailbox) claim() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.running {
		return false
	}
	m.running = true
	return true
}

// release gives a claimed entity back; what came meanwhile is for a worker.
func (m *mailbox) release() {
	m.mu.Lock()
	m.running = false
	m.unlockAndSchedule()
}

// handle runs the entity, which is the caller's, for a message.
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
