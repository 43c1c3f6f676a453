import re,glob,json
keys=set()
S=r"('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
def un(s): 
    return s[1:-1].replace("\\'","'").replace('\\"','"')
for f in glob.glob('renderer/**/*.ts*',recursive=True):
    if '/words/' in f: continue
    s=open(f).read()
    for m in re.finditer(r"\bt\(\s*"+S,s): keys.add(un(m[1]))
    for m in re.finditer(r"\bplural\((?:[^'\"]|\n)*?,\s*"+S+r",\s*"+S,s): keys.add(un(m[1])); keys.add(un(m[2]))
c=open('electron/contract/commands.ts').read()
for m in re.finditer(r"title: '([^']*)'",c): keys.add(m[1])
for m in ['File','Edit','Run','View','Help']: keys.add(m)
for m in re.finditer(r"title: '([^']*)'",open('electron/contract/stages.ts').read()): keys.add(m[1])
for k in ['checking the photos','choosing pairs','looking at the photos','finding features','matching','comparing photos','calibrating','relating pairs','placing cameras','computing depth','aligning','building the cloud','Home','Pictures','Documents','Desktop','Downloads']: keys.add(k)
print(len(keys)); 
for k in sorted(keys): print(k)
