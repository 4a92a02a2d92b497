; Inno Setup script: the built folder as an installer. packaging/windows_installer.py runs it and defines every name
; that it checks for here, so that version and names stay in one place.
#ifndef AppName
  #error Run packaging/windows_installer.py, which defines AppName, AppVersion, AppId, Publisher, Executable, Bundle, Icon, Licence and Output
#endif

[Setup]
; The identity of the installed program: an update replaces what has the same one. Never change it.
AppId={{6E0F6C3B-8A57-4F0E-9C1D-52B7E1D0A4C8}
AppName={#AppName}
AppVersion={#AppVersion}
AppPublisher={#Publisher}
VersionInfoVersion={#FileVersion}
DefaultDirName={autopf}\{#AppName}
DefaultGroupName={#AppName}
DisableProgramGroupPage=yes
UninstallDisplayIcon={app}\{#Executable}.exe
SetupIconFile={#Icon}
LicenseFile={#Licence}
OutputDir={#Output}
OutputBaseFilename={#Executable}-{#AppVersion}-windows-setup
Compression=lzma2
SolidCompression=yes
WizardStyle=modern
; For one user, without an administrator, unless the user asks for all users.
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0
CloseApplications=yes

[Tasks]
Name: "desktopicon"; Description: "{cm:CreateDesktopIcon}"; Flags: unchecked

[InstallDelete]
; Libraries of an earlier version must not stay beside the new ones.
Type: filesandordirs; Name: "{app}\_internal"

[Files]
Source: "{#Bundle}\*"; DestDir: "{app}"; Flags: ignoreversion recursesubdirs createallsubdirs

[Icons]
; The same identity as the running program's, or the task bar shows two entries.
Name: "{autoprograms}\{#AppName}"; Filename: "{app}\{#Executable}.exe"; AppUserModelID: "{#AppUserModelId}"
Name: "{autodesktop}\{#AppName}"; Filename: "{app}\{#Executable}.exe"; AppUserModelID: "{#AppUserModelId}"; Tasks: desktopicon

[Run]
Filename: "{app}\{#Executable}.exe"; Description: "{cm:LaunchProgram,{#AppName}}"; Flags: nowait postinstall skipifsilent

[Code]
procedure CurUninstallStepChanged(CurUninstallStep: TUninstallStep);
begin
  if (CurUninstallStep = usPostUninstall) and not UninstallSilent then
    MsgBox('{#AppName} was removed. Your own data stays: settings in ' + ExpandConstant('{userappdata}\{#AppName}')
      + ', history and logs in ' + ExpandConstant('{localappdata}\{#AppName}')
      + ', keys of accounts in the Windows Credential Manager.', mbInformation, MB_OK);
end;
