// Prints messages of Kafka, encoded by another implementation of the protocol (franz-go's kmsg), and what they contain:
// API key, request or response, version, whether it is flexible, the first error, topics, groups, mechanism, acks, the body as base64.
// Each array has two elements, each string its own text, and each structure of a flexible message two unknown tags.
//
//	go mod init messages && go get github.com/twmb/franz-go/pkg/kmsg@v1.15.1 && go run . KEY:NEWEST... > messages.tsv
//
// Without arguments: the versions of all APIs (apis.tsv).
package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

var count int

// Of a coordinator the key is a group's name.
func isGroup(name string) bool {
	return strings.HasPrefix(name, "Group") || strings.HasPrefix(name, "CoordinatorKey") || name == "Key"
}

// What ksnoop does not read: topics that a session of fetches forgets, where a list goes on, groups that are listed.
func isOther(name string, key int16) bool {
	return name == "ForgottenTopics" || strings.HasSuffix(name, "Cursor") || (key == 16 && name == "Groups")
}

func fill(v reflect.Value, name string) {
	count++
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), name)
	case reflect.Struct:
		if tags, ok := v.Addr().Interface().(*kmsg.Tags); ok {
			tags.Set(100, []byte("first"))
			tags.Set(101, []byte("second"))
			return
		}
		for i := 0; i < v.NumField(); i++ {
			if field := v.Type().Field(i); field.IsExported() && field.Name != "Version" {
				fill(v.Field(i), field.Name)
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte{byte(count), 2, 3})
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := 0; i < 2; i++ {
			fill(v.Index(i), name)
		}
	case reflect.Array:
		for i := 0; i < v.Len(); i++ {
			v.Index(i).SetUint(uint64(count + i))
		}
	case reflect.String:
		v.SetString(fmt.Sprintf("%s%d", strings.ToLower(name[:1]), count))
	case reflect.Int16:
		v.SetInt(int64(count%90 + 1))
	case reflect.Int8, reflect.Int32, reflect.Int64:
		v.SetInt(int64(count % 90))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(1.5)
	}
}

type found struct {
	errors         []string
	topics, groups []string
	mechanism      string
	acks           int64
	key            int16
}

// Of what was read back: a version's other fields are as they are by default.
func find(v reflect.Value, name string, into *found) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			find(v.Elem(), name, into)
		}
	case reflect.Struct:
		if _, ok := v.Addr().Interface().(*kmsg.Tags); ok {
			return
		}
		for i := 0; i < v.NumField(); i++ {
			if field := v.Type().Field(i); field.IsExported() && !isOther(field.Name, into.key) {
				find(v.Field(i), field.Name, into)
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			for i := 0; i < v.Len(); i++ {
				find(v.Index(i), name, into)
			}
		}
	case reflect.String:
		if v.String() == "" {
			return
		}
		if name == "Topic" || name == "Topics" || name == "TopicNames" {
			into.topics = append(into.topics, v.String())
		}
		if isGroup(name) {
			into.groups = append(into.groups, v.String())
		}
		if name == "Mechanism" {
			into.mechanism = v.String()
		}
	case reflect.Int16:
		if name == "Acks" {
			into.acks = v.Int()
		}
		if name == "ErrorCode" && v.Int() != 0 {
			into.errors = append(into.errors, fmt.Sprint(v.Int()))
		}
	}
}

type message interface {
	SetVersion(int16)
	IsFlexible() bool
	AppendTo([]byte) []byte
	ReadFrom([]byte) error
}

func show(key, version int16, word string, made, read message) {
	count = 0
	made.SetVersion(version)
	read.SetVersion(version)
	fill(reflect.ValueOf(made).Elem(), "")
	body := made.AppendTo(nil)
	if err := read.ReadFrom(body); err != nil {
		panic(err)
	}
	into := &found{acks: -1, key: key}
	find(reflect.ValueOf(read).Elem(), "", into)
	first := "0"
	if len(into.errors) > 0 {
		first = into.errors[0]
	}
	fmt.Printf("%d\t%s\t%d\t%v\t%s\t%s\t%s\t%s\t%d\t%s\n", key, word, version, made.IsFlexible(), first,
		strings.Join(into.topics, ","), strings.Join(into.groups, ","), into.mechanism, into.acks, base64.StdEncoding.EncodeToString(body))
}

// A line for each API: its key, its newest version, and the first that is flexible (-1: none).
func showAPIs() {
	for key := int16(0); key < 128; key++ {
		request := kmsg.RequestForKey(key)
		if request == nil {
			continue
		}
		flexible := int16(-1)
		for version := request.MaxVersion(); version >= 0; version-- {
			if request.SetVersion(version); request.IsFlexible() {
				flexible = version
			}
		}
		fmt.Printf("%d\t%d\t%d\n", key, request.MaxVersion(), flexible)
	}
}

func main() {
	if len(os.Args) == 1 {
		showAPIs()
	}
	for _, word := range os.Args[1:] {
		var key, newest int16
		fmt.Sscanf(word, "%d:%d", &key, &newest)
		for version := int16(0); version <= newest; version++ {
			request := func() message { return kmsg.RequestForKey(key) }
			response := func() message { return kmsg.ResponseForKey(key) }
			show(key, version, "request", request(), request())
			show(key, version, "response", response(), response())
		}
	}
}
