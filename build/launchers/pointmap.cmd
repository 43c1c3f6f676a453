@echo off
rem The command line of an installed Pointmap Studio: its program as a bare Node, with its own SQLite.
setlocal
set ELECTRON_RUN_AS_NODE=1
set "POINTMAP_SQLITE=%~dp0..\native\better_sqlite3.node"
"%~dp0..\..\Pointmap Studio.exe" "%~dp0..\app.asar.unpacked\dist\electron\cli.js" %*
