package postgrestest

import "syscall"

// roomInMemory is what must be free in a file system in memory for a server to have its folder there. A server and the
// databases of tests that run at the same time take up a tenth of it.
const roomInMemory = 2 << 30

// memoryFolder returns a folder of a file system in memory, or "" if there is none with enough room, as in most
// containers. On a disk, the kernel works
// more for each database that is made and deleted.
func memoryFolder() string {
	const folder = "/dev/shm"
	const tmpfs = 0x01021994
	var stat syscall.Statfs_t
	if syscall.Statfs(folder, &stat) != nil || stat.Type != tmpfs || stat.Bavail*uint64(stat.Bsize) < roomInMemory {
		return ""
	}
	return folder
}
