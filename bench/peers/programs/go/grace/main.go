// As the readme of the package has it.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"

	"github.com/facebookgo/grace/gracehttp"
)

func answer(response http.ResponseWriter, _ *http.Request) {
	body, _ := json.Marshal(map[string]interface{}{"hello": "world", "pid": os.Getpid()})
	response.Header().Set("Content-Type", "application/json")
	response.Write(body)
}

func main() {
	server := &http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT"), Handler: http.HandlerFunc(answer)}
	if err := gracehttp.Serve(server); err != nil {
		log.Fatal(err)
	}
}
