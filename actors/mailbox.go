package actors

import (
	"runtime"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// mailbox holds the messages of one entity and lets one goroutine at a time run
// it. Unlike protoactor's own it can be claimed: who asks an entity that does
// nothing runs it himself, instead of waking a goroutine and being woken by it.
// An idle one is small, because very many entities are active at once.
type mailbox struct {
	invoker    actor.MessageInvoker
	dispatcher actor.Dispatcher

	mu        sync.Mutex
	users     []any
	systems   []any // protoactor's own messages, which go first
	running   bool  // somebody runs the entity or is about to
	suspended bool  // by its supervisor: users wait
}

var _ actor.Mailbox = (*mailbox)(nil)

// RegisterHandlers is told whom to run and where.
func (m *mailbox) RegisterHandlers(i actor.MessageInvoker, d actor.Dispatcher) {
	m.invoker, m.dispatcher = i, d
}

// Start does nothing: that it was started the entity hears with its first
// message.
func (m *mailbox) Start() {}

// UserMessageCount is the number of messages that wait.
func (m *mailbox) UserMessageCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.users)
}

// PostUserMessage adds a message, which a worker handles.
func (m *mailbox) PostUserMessage(message any) {
	m.mu.Lock()
	m.users = append(m.users, message)
	m.unlockAndSchedule()
}

// PostSystemMessage adds a message of protoactor's own.
func (m *mailbox) PostSystemMessage(message any) {
	m.mu.Lock()
	m.systems = append(m.systems, message)
	if _, first := message.(*actor.Started); first {
		m.mu.Unlock()
		return
	}
	m.unlockAndSchedule()
}

// unlockAndSchedule has a worker run the entity if there is something to do and
// nobody is at it.
func (m *mailbox) unlockAndSchedule() {
	work := len(m.systems) > 0 || len(m.users) > 0 && !m.suspended
	start := work && !m.running
	m.running = m.running || start
	m.mu.Unlock()
	if start {
		m.dispatcher.Schedule(m.run)
	}
}

// run handles messages until none is left.
func (m *mailbox) run() {
	for handled := 1; ; handled++ {
		message := m.next()
		if message == nil {
			return
		}
		m.invoke(message)
		if handled%m.dispatcher.Throughput() == 0 {
			runtime.Gosched()
		}
	}
}

// next takes the next message; without one the entity rests.
func (m *mailbox) next() any {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.systems) > 0 {
		return pop(&m.systems)
	}
	if len(m.users) > 0 && !m.suspended {
		return pop(&m.users)
	}
	m.running = false
	return nil
}

// claim makes the caller the one who runs the entity, if it does nothing and
// nothing waits. The caller must release it.
func (m *mailbox) claim() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.running || m.suspended {
		return false
	}
	m.running = true
	return true
}

// handle runs a claimed entity for one message.
func (m *mailbox) handle(message any) {
	for first := m.nextSystem(); first != nil; first = m.nextSystem() {
		m.invoke(first)
	}
	m.invoke(message)
}

func (m *mailbox) nextSystem() any {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.systems) == 0 {
		return nil
	}
	return pop(&m.systems)
}

// release gives a claimed entity back; what came meanwhile is for a worker.
func (m *mailbox) release() {
	m.mu.Lock()
	m.running = false
	m.unlockAndSchedule()
}

// invoke runs the entity for a message. A panic is for its supervisor.
func (m *mailbox) invoke(message any) {
	defer func() {
		if cause := recover(); cause != nil {
			m.invoker.EscalateFailure(cause, message)
		}
	}()
	switch message.(type) {
	case *actor.SuspendMailbox:
		m.suspend(true)
	case *actor.ResumeMailbox:
		m.suspend(false)
	case actor.SystemMessage:
		m.invoker.InvokeSystemMessage(message)
	default:
		m.invoker.InvokeUserMessage(message)
	}
}

func (m *mailbox) suspend(suspended bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.suspended = suspended
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
