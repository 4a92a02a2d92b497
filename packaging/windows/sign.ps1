# Sign the files named with the certificate in WINDOWS_CERTIFICATE (PFX, base64), whose password is in
# WINDOWS_CERTIFICATE_PASSWORD. Run by the release workflow.
param([Parameter(Mandatory, ValueFromRemainingArguments)][string[]]$Patterns)
$ErrorActionPreference = "Stop"
$pfx = Join-Path $env:RUNNER_TEMP "signing.pfx"
$tool = Get-ChildItem "C:\Program Files (x86)\Windows Kits\10\bin\*\x64\signtool.exe" | Sort-Object FullName | Select-Object -Last 1
if (-not $tool) { throw "signtool.exe was not found" }
[IO.File]::WriteAllBytes($pfx, [Convert]::FromBase64String($env:WINDOWS_CERTIFICATE))
try {
    foreach ($file in Get-ChildItem $Patterns) {
        & $tool.FullName sign /fd SHA256 /td SHA256 /tr http://timestamp.digicert.com `
            /f $pfx /p $env:WINDOWS_CERTIFICATE_PASSWORD $file.FullName
        if ($LASTEXITCODE) { throw "signing $($file.Name) failed" }
    }
}
finally { Remove-Item $pfx }
