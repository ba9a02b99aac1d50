module ksnoop.test/pause

go 1.26.0
