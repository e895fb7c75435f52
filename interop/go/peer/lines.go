package main

import (
	messages "container/list"
	"encoding/json"
	"net"
	"os"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"github.com/hashicorp/memberlist"
)

// What is printed: one JSON object.
type line map[string]interface{}

var stdout sync.Mutex

func say(what line) {
	stdout.Lock()
	defer stdout.Unlock()
	if json.NewEncoder(os.Stdout).Encode(what) != nil {
		os.Exit(1)
	}
}

// What memberlist logs, as lines: what it takes for information apart from all that is worse.
type logWriter struct{}

func (logWriter) Write(text []byte) (int, error) {
	event, what := "log", strings.TrimSpace(string(text))
	if strings.Contains(what, " [DEBUG] ") {
		return len(text), nil
	} else if strings.Contains(what, " [INFO] ") {
		event = "info"
	}
	say(line{"event": event, "text": what})
	return len(text), nil
}

// How many messages wait to be gossiped of those that the library makes itself.
func queued(list *memberlist.Memberlist) int {
	queue := reflect.ValueOf(list).Elem().FieldByName("broadcasts")
	return (*memberlist.TransmitLimitedQueue)(queue.UnsafePointer()).NumQueued()
}

// How many messages of packets wait to be applied.
func unread(list *memberlist.Memberlist) int {
	inside := reflect.ValueOf(list).Elem()
	lock := (*sync.Mutex)(unsafe.Pointer(inside.FieldByName("msgQueueLock").UnsafeAddr()))
	lock.Lock()
	defer lock.Unlock()
	count := 0
	for _, queue := range []string{"highPriorityMsgQueue", "lowPriorityMsgQueue"} {
		count += (*messages.List)(inside.FieldByName(queue).UnsafePointer()).Len()
	}
	return count
}

// All that the library holds of members, of every state, as it is at one moment.
//
// What it shows to applications has no states, and is read while it may change. So this looks
// inside, under the library's own lock, at the fields by their names.
func table(list *memberlist.Memberlist) []line {
	inside := reflect.ValueOf(list).Elem()
	lock := (*sync.RWMutex)(unsafe.Pointer(inside.FieldByName("nodeLock").UnsafeAddr()))
	lock.RLock()
	defer lock.RUnlock()
	states := []string{"alive", "suspect", "dead", "left"}
	members := []line{}
	nodes := inside.FieldByName("nodeMap")
	for _, name := range nodes.MapKeys() {
		state := nodes.MapIndex(name).Elem()
		node := (*memberlist.Node)(unsafe.Pointer(state.FieldByName("Node").UnsafeAddr()))
		members = append(members, line{
			"name":        node.Name,
			"addr":        net.JoinHostPort(node.Addr.String(), strconv.Itoa(int(node.Port))),
			"meta":        string(node.Meta),
			"state":       states[state.FieldByName("State").Int()],
			"incarnation": state.FieldByName("Incarnation").Uint(),
			"protocol":    node.PCur,
		})
	}
	return members
}
