import sys
from tests.database.test_accounts_shown import *
def test_all(site):
    out=open("/tmp/w/acc_faults.txt","w")
    for role in ("physicist","radiographer","physician","nurse"):
        w=Walker(site, role, OF_EVERYBODY | frozenset(BUILT_IN[role]))
        faults,count=w.walk()
        print(role,count,file=out); [print(f,file=out) for f in faults]; out.flush()
