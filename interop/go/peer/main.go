// A member of a cluster of HashiCorp's memberlist, to be a peer of our nodes in tests.
//
// It takes the flags and commands of the program `swim-peer` beside it and prints the same lines,
// one JSON object each: what happens as it happens, and one answer to each command.
package main

import (
	"bufio"
	"encoding/base64"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/memberlist"
)

func main() {
	config := memberlist.DefaultLocalConfig()
	delegate := newDelegate()
	seed := readFlags(config, delegate)
	list, err := memberlist.Create(config)
	if err != nil {
		log.Fatal(err)
	}
	delegate.setList(list)
	local := list.LocalNode()
	say(line{"event": "up", "addr": local.Address()})
	if seed != "" {
		go join(list, seed)
	}
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		answer := line{}
		if err := obey(input.Text(), list, config.Keyring, delegate, answer); err != nil {
			answer["error"] = err.Error()
		}
		answer["event"] = "answer"
		say(answer)
	}
	// Who started this program is gone, or has no more to say.
}

// Joins, however long the seed takes to be there.
func join(list *memberlist.Memberlist, seed string) {
	for {
		_, err := list.Join([]string{seed})
		if err == nil {
			say(line{"event": "joined"})
			return
		}
		say(line{"event": "refused", "text": err.Error()})
		time.Sleep(100 * time.Millisecond)
	}
}

// Does what a command says.
func obey(text string, list *memberlist.Memberlist, keys *memberlist.Keyring, delegate *delegate, answer line) error {
	words := strings.SplitN(text, " ", 3)
	rest := words[1:]
	switch words[0] {
	case "members":
		answer["members"] = table(list)
		return nil
	case "stats":
		answer["queued"] = queued(list) + delegate.queue.NumQueued()
		answer["unread"] = unread(list)
		answer["health"] = list.GetHealthScore()
		return nil
	case "leave":
		return list.Leave(5 * time.Second)
	case "meta":
		delegate.setMeta(rest[0])
		return list.UpdateNode(5 * time.Second)
	case "send", "sendrel":
		to := find(list, rest[0])
		if to == nil {
			return fmt.Errorf("no such member: %s", rest[0])
		}
		if words[0] == "send" {
			return list.SendBestEffort(to, []byte(rest[1]))
		}
		return list.SendReliable(to, []byte(rest[1]))
	case "broadcast":
		delegate.queue.QueueBroadcast(broadcast(strings.Join(rest, " ")))
		return nil
	case "key":
		return turn(keys, rest[0], rest[1])
	case "quit":
		os.Exit(0)
	}
	return fmt.Errorf("no such command: %q", text)
}

func find(list *memberlist.Memberlist, name string) *memberlist.Node {
	for _, node := range list.Members() {
		if node.Name == name {
			return node
		}
	}
	return nil
}

func turn(keys *memberlist.Keyring, how, text string) error {
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return err
	}
	if keys == nil {
		return fmt.Errorf("without a keyring there are no keys")
	}
	switch how {
	case "add":
		return keys.AddKey(key)
	case "use":
		return keys.UseKey(key)
	case "remove":
		return keys.RemoveKey(key)
	}
	return fmt.Errorf("nothing can be done to a key like %q", how)
}

// Reads the command line, and returns whom to join.
func readFlags(config *memberlist.Config, delegate *delegate) string {
	flag.StringVar(&config.Name, "name", "", "this node's name")
	bind := flag.String("bind", "127.0.0.1:0", "where to listen")
	advertise := flag.String("advertise", "", "where the others reach it, if elsewhere")
	seed := flag.String("join", "", "a member to join")
	primary := flag.String("key", "", "the key to seal with, in base64")
	others := flag.String("keys", "", "further keys, with commas between")
	protocol := flag.Uint("protocol", 2, "the version of memberlist's protocol")
	flag.Func("application", "lowest, highest and present version of the application's protocol", func(text string) error {
		_, err := fmt.Sscanf(text, "%d,%d,%d",
			&config.DelegateProtocolMin, &config.DelegateProtocolMax, &config.DelegateProtocolVersion)
		return err
	})
	flag.BoolVar(&config.EnableCompression, "compression", true, "whether to compress")
	flag.BoolVar(&config.GossipVerifyIncoming, "verify-incoming", true, "whether to take only what is sealed")
	flag.BoolVar(&config.GossipVerifyOutgoing, "verify-outgoing", true, "whether to seal")
	meta := flag.String("meta", "", "what it says about itself")
	flag.StringVar(&delegate.localState, "state", "", "what goes along with every exchange")
	flag.StringVar(&delegate.ackPayload, "ack", "", "what goes along with every ack")
	flag.Func("set", "a setting, by the name that it has in swim-core", func(text string) error {
		return set(config, text)
	})
	flag.Parse()

	config.ProtocolVersion = uint8(*protocol)
	config.BindAddr, config.BindPort = split(*bind)
	config.AdvertisePort = config.BindPort
	if *advertise != "" {
		config.AdvertiseAddr, config.AdvertisePort = split(*advertise)
	}
	if *primary != "" {
		config.Keyring = keyring(*primary, *others)
	}
	delegate.setMeta(*meta)
	delegate.queue.RetransmitMult = config.RetransmitMult
	config.Delegate, config.Events, config.Ping = delegate, delegate, delegate
	config.Conflict = delegate
	config.LogOutput = logWriter{}
	return *seed
}

func split(addr string) (string, int) {
	host, text, err := net.SplitHostPort(addr)
	port, wrong := strconv.Atoi(text)
	if err != nil || wrong != nil {
		log.Fatalf("no address: %q", addr)
	}
	return host, port
}

func keyring(primary, others string) *memberlist.Keyring {
	var keys [][]byte
	for _, text := range strings.Split(primary+","+others, ",") {
		if text == "" {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			log.Fatal(err)
		}
		keys = append(keys, key)
	}
	ring, err := memberlist.NewKeyring(keys, keys[0])
	if err != nil {
		log.Fatal(err)
	}
	return ring
}
