module re2vectors

go 1.26
