package main

import (
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// Everything that memberlist asks of an application or tells it.
type delegate struct {
	mutex      sync.Mutex
	list       *memberlist.Memberlist
	meta       string
	localState string
	ackPayload string
	queue      memberlist.TransmitLimitedQueue
}

func newDelegate() *delegate {
	made := &delegate{}
	made.queue.NumNodes = made.numNodes
	return made
}

// Until the list is there, nobody is in it.
func (d *delegate) numNodes() int {
	d.mutex.Lock()
	list := d.list
	d.mutex.Unlock()
	if list == nil {
		return 1
	}
	return list.NumMembers()
}

func (d *delegate) setList(list *memberlist.Memberlist) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.list = list
}

func (d *delegate) setMeta(meta string) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.meta = meta
}

func (d *delegate) NodeMeta(limit int) []byte {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return []byte(d.meta)
}

func (d *delegate) NotifyMsg(text []byte) {
	say(line{"event": "message", "text": string(text)})
}

func (d *delegate) GetBroadcasts(overhead, limit int) [][]byte {
	return d.queue.GetBroadcasts(overhead, limit)
}

func (d *delegate) LocalState(join bool) []byte {
	return []byte(d.localState)
}

func (d *delegate) MergeRemoteState(text []byte, join bool) {
	say(line{"event": "state", "text": string(text), "join": join})
}

func (d *delegate) NotifyJoin(node *memberlist.Node) {
	d.notify("joined", node)
}

func (d *delegate) NotifyLeave(node *memberlist.Node) {
	d.notify("gone", node)
}

func (d *delegate) NotifyUpdate(node *memberlist.Node) {
	d.notify("updated", node)
}

func (d *delegate) notify(change string, node *memberlist.Node) {
	say(line{
		"event":  "member",
		"change": change,
		"name":   node.Name,
		"addr":   node.Address(),
		"meta":   string(node.Meta),
	})
}

func (d *delegate) NotifyConflict(existing, other *memberlist.Node) {
	say(line{"event": "conflict", "name": existing.Name, "other": other.Address()})
}

func (d *delegate) AckPayload() []byte {
	return []byte(d.ackPayload)
}

func (d *delegate) NotifyPingComplete(other *memberlist.Node, rtt time.Duration, payload []byte) {
	say(line{"event": "ping", "name": other.Name, "text": string(payload)})
}

// A message to all members.
type broadcast string

func (b broadcast) Invalidates(memberlist.Broadcast) bool { return false }
func (b broadcast) Message() []byte                       { return []byte(b) }
func (b broadcast) Finished()                             { say(line{"event": "sent"}) }
