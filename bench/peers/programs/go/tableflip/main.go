// As the example of the package for http.Server has it.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/cloudflare/tableflip"
)

func answer(response http.ResponseWriter, _ *http.Request) {
	body, _ := json.Marshal(map[string]interface{}{"hello": "world", "pid": os.Getpid()})
	response.Header().Set("Content-Type", "application/json")
	response.Write(body)
}

func main() {
	upgrader, err := tableflip.New(tableflip.Options{PIDFile: "app.pid"})
	if err != nil {
		log.Fatal(err)
	}
	defer upgrader.Stop()
	go func() {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGHUP)
		for range signals {
			if err := upgrader.Upgrade(); err != nil {
				log.Println("upgrade failed:", err)
			}
		}
	}()
	listener, err := upgrader.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		log.Fatal(err)
	}
	server := http.Server{Handler: http.HandlerFunc(answer)}
	go server.Serve(listener)
	if err := upgrader.Ready(); err != nil {
		log.Fatal(err)
	}
	<-upgrader.Exit()
	time.AfterFunc(30*time.Second, func() { os.Exit(1) })
	server.Shutdown(context.Background())
}
