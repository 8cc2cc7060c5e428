module github.com/shodanrep/steampipe-plugin-shodanrep

go 1.26.0
